#include "gais/edge_attention.hpp"

#include <algorithm>

#include "parallel/for_ranges.hpp"
#include "simd/edge_kernels.hpp"

namespace dsir::gais {
namespace {

/// Sums scale[node, head] * z[node, head, :] over the nodes, in blocks of a fixed number of rows.
template <class Value>
void weighted_sums(const Value* scale, const Value* z, std::int64_t size, std::int64_t heads,
                   std::int64_t width, Value* out, unsigned threads) {
    constexpr std::int64_t kBlock = 1024;
    const std::int64_t blocks = (size + kBlock - 1) / kBlock;
    const std::int64_t columns = heads * width;
    std::vector<Value> sums(static_cast<std::size_t>(blocks * columns), Value{0});
    parallel::for_ranges(blocks, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t b = begin; b < end; ++b) {
            Value* const sum = sums.data() + b * columns;
            const std::int64_t last = std::min(size, (b + 1) * kBlock);
            for (std::int64_t i = b * kBlock; i < last; ++i) {
                for (std::int64_t h = 0; h < heads; ++h) {
                    const Value s = scale[i * heads + h];
                    const Value* const from = z + i * columns + h * width;
                    for (std::int64_t c = 0; c < width; ++c) sum[h * width + c] += s * from[c];
                }
            }
        }
    });
    std::fill(out, out + columns, Value{0});
    for (std::int64_t b = 0; b < blocks; ++b) {
        for (std::int64_t c = 0; c < columns; ++c) out[c] += sums[b * columns + c];
    }
}

template <class Value>
simd::EdgeLayer<Value> layer_of(const AttentionGraph& graph, const Value* z,
                                const Value* source_weights, const Value* target_weights,
                                std::int64_t heads, std::int64_t width, EdgeState<Value>& state) {
    return {graph.offsets.data(),
            graph.neighbours.data(),
            graph.reverse_offsets.data(),
            graph.reverse_edges.data(),
            graph.reverse_nodes.data(),
            heads,
            width,
            z,
            source_weights,
            target_weights,
            state.source.data(),
            state.target.data(),
            state.attention.data(),
            state.kept.data()};
}

}  // namespace

template <class Value>
void attend(const AttentionGraph& graph, const NodeRuns& from, const NodeRuns& to, const Value* z,
            const Value* source_weights, const Value* target_weights, std::int64_t heads,
            std::int64_t width, const EdgeDropout& dropout, EdgeState<Value>& state, Value* out,
            unsigned threads) {
    const std::int64_t size = graph.size();
    state.source.resize(static_cast<std::size_t>(size * heads));
    state.target.resize(static_cast<std::size_t>(size * heads));
    state.attention.resize(static_cast<std::size_t>(graph.edges() * heads));
    state.kept.resize(dropout.rate > 0 ? static_cast<std::size_t>(graph.edges()) : 0);
    const auto& kernels = simd::edge_kernels<Value>();
    const auto room_size = static_cast<std::size_t>(simd::room_of_edge_kernels(heads, width));
    const auto layer = layer_of(graph, z, source_weights, target_weights, heads, width, state);
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for_runs(from, begin, end, [&](std::int64_t first, std::int64_t last) {
            kernels.logit_parts(layer, first, last);
        });
    });
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<Value> room(room_size);
        for_runs(to, begin, end, [&](std::int64_t first, std::int64_t last) {
            kernels.attend(layer, dropout.rate, dropout.seed, out, room.data(), first, last);
        });
    });
}

template <class Value>
void attend_backward(const AttentionGraph& graph, const Value* z, const Value* source_weights,
                     const Value* target_weights, std::int64_t heads, std::int64_t width,
                     EdgeState<Value>& state, EdgeGradientState<Value>& gradient_state,
                     const Value* out_gradient, Value* z_gradient, Value* source_gradient,
                     Value* target_gradient, unsigned threads) {
    const std::int64_t size = graph.size();
    gradient_state.logit.resize(static_cast<std::size_t>(graph.edges() * heads));
    gradient_state.of_source.resize(static_cast<std::size_t>(size * heads));
    gradient_state.of_target.resize(static_cast<std::size_t>(size * heads));
    Value* const of_source = gradient_state.of_source.data();
    Value* const of_target = gradient_state.of_target.data();
    const auto& kernels = simd::edge_kernels<Value>();
    const auto room_size = static_cast<std::size_t>(simd::room_of_edge_kernels(heads, width));
    const auto layer = layer_of(graph, z, source_weights, target_weights, heads, width, state);
    const simd::EdgeGradients<Value> gradients = {
        out_gradient, z_gradient, gradient_state.logit.data(), of_source, of_target};
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<Value> room(room_size);
        kernels.backward_edges(layer, gradients, room.data(), begin, end);
    });
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<Value> room(room_size);
        kernels.backward_nodes(layer, gradients, room.data(), begin, end);
    });
    weighted_sums(of_source, z, size, heads, width, source_gradient, threads);
    weighted_sums(of_target, z, size, heads, width, target_gradient, threads);
}

template void attend(const AttentionGraph&, const NodeRuns&, const NodeRuns&, const float*,
                     const float*, const float*, std::int64_t, std::int64_t, const EdgeDropout&,
                     EdgeState<float>&, float*, unsigned);
template void attend(const AttentionGraph&, const NodeRuns&, const NodeRuns&, const double*,
                     const double*, const double*, std::int64_t, std::int64_t, const EdgeDropout&,
                     EdgeState<double>&, double*, unsigned);
template void attend_backward(const AttentionGraph&, const float*, const float*, const float*,
                              std::int64_t, std::int64_t, EdgeState<float>&,
                              EdgeGradientState<float>&, const float*, float*, float*, float*,
                              unsigned);
template void attend_backward(const AttentionGraph&, const double*, const double*, const double*,
                              std::int64_t, std::int64_t, EdgeState<double>&,
                              EdgeGradientState<double>&, const double*, double*, double*, double*,
                              unsigned);

}  // namespace dsir::gais
