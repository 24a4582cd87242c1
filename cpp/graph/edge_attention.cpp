#include "graph/edge_attention.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "graph/dense_products.hpp"
#include "numeric/portable_exp.hpp"
#include "numeric/portable_exp_float.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::graph {
namespace {

template <class Value>
Value exponential(Value x) {
    if constexpr (std::is_same_v<Value, float>) {
        return numeric::portable_exp_float(x);
    } else {
        return numeric::portable_exp(x);
    }
}

/// Sums over nodes of scale[node, head] z[node, head, :], in blocks of a fixed number of rows.
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

/// Calls body with the width as a constant where it is a common one: the loops over it unroll.
template <class Body>
void with_width(std::int64_t width, Body&& body) {
    switch (width) {
        case 2:
            return body(std::integral_constant<std::int64_t, 2>{});
        case 3:
            return body(std::integral_constant<std::int64_t, 3>{});
        case 4:
            return body(std::integral_constant<std::int64_t, 4>{});
        case 8:
            return body(std::integral_constant<std::int64_t, 8>{});
        case 16:
            return body(std::integral_constant<std::int64_t, 16>{});
        default:
            return body(width);
    }
}

template <class Value, class Width>
void attend_of(const AttentionGraph& graph, const Value* z, const Value* source_weights,
               const Value* target_weights, std::int64_t heads, Width width,
               const EdgeDropout& dropout, EdgeState<Value>& state, Value* out, unsigned threads) {
    const std::int64_t size = graph.size();
    const std::int64_t columns = heads * width;
    state.source.resize(static_cast<std::size_t>(size * heads));
    state.target.resize(static_cast<std::size_t>(size * heads));
    state.attention.resize(static_cast<std::size_t>(graph.edges() * heads));
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t at = begin * heads; at < end * heads; ++at) {
            const std::int64_t first = (at % heads) * width;
            state.source[at] = dot(z + at * width, source_weights + first, width);
            state.target[at] = dot(z + at * width, target_weights + first, width);
        }
    });
    const auto slope = static_cast<Value>(kLeakySlope);
    constexpr Value kOut = -std::numeric_limits<Value>::infinity();
    constexpr Value kLowest = std::numeric_limits<Value>::lowest();
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<Value> peak(static_cast<std::size_t>(heads));
        std::vector<Value> total(static_cast<std::size_t>(heads));
        for (std::int64_t i = begin; i < end; ++i) {
            std::fill(peak.begin(), peak.end(), kLowest);
            std::fill(total.begin(), total.end(), Value{0});
            Value* const __restrict to = out + i * columns;
            std::fill(to, to + columns, Value{0});
            const std::int64_t first = graph.offsets[i];
            const std::int64_t last = graph.offsets[i + 1];
            for (std::int64_t e = first; e < last; ++e) {
                const std::int64_t j = graph.neighbours[e];
                Value* const logits = state.attention.data() + e * heads;
                if (dropout.rate > 0 && i != j &&
                    dropped(dropout.seed, static_cast<std::uint64_t>(e), dropout.rate)) {
                    std::fill(logits, logits + heads, kOut);
                    continue;
                }
                for (std::int64_t h = 0; h < heads; ++h) {
                    const Value sum = state.target[i * heads + h] + state.source[j * heads + h];
                    logits[h] = sum > 0 ? sum : slope * sum;
                    peak[h] = std::max(peak[h], logits[h]);
                }
            }
            // The logits of a node's edges stand in one run.
            Value* const run = state.attention.data() + first * heads;
            const std::int64_t length = (last - first) * heads;
            for (std::int64_t e = 0; e < length; e += heads) {
                for (std::int64_t h = 0; h < heads; ++h) run[e + h] -= peak[h];
            }
            for (std::int64_t k = 0; k < length; ++k) run[k] = exponential<Value>(run[k]);
            for (std::int64_t e = 0; e < length; e += heads) {
                for (std::int64_t h = 0; h < heads; ++h) total[h] += run[e + h];
            }
            for (std::int64_t h = 0; h < heads; ++h) {
                total[h] = total[h] > 0 ? 1 / total[h] : Value{0};
            }
            for (std::int64_t e = first; e < last; ++e) {
                const Value* const from = z + graph.neighbours[e] * columns;
                Value* const weights = state.attention.data() + e * heads;
                for (std::int64_t h = 0; h < heads; ++h) {
                    const Value share = weights[h] * total[h];
                    weights[h] = share;
                    for (std::int64_t c = 0; c < width; ++c) {
                        to[h * width + c] += share * from[h * width + c];
                    }
                }
            }
        }
    });
}

template <class Value, class Width>
void attend_backward_of(const AttentionGraph& graph, const Value* z, const Value* source_weights,
                        const Value* target_weights, std::int64_t heads, Width width,
                        const EdgeState<Value>& state, const Value* out_gradient, Value* z_gradient,
                        Value* source_gradient, Value* target_gradient, unsigned threads) {
    const std::int64_t size = graph.size();
    const std::int64_t columns = heads * width;
    const auto slope = static_cast<Value>(kLeakySlope);
    std::vector<Value> logit_gradient(static_cast<std::size_t>(graph.edges() * heads));
    std::vector<Value> of_target(static_cast<std::size_t>(size * heads));
    std::vector<Value> of_source(static_cast<std::size_t>(size * heads));
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<Value> mean(static_cast<std::size_t>(heads));
        for (std::int64_t i = begin; i < end; ++i) {
            std::fill(mean.begin(), mean.end(), Value{0});
            const Value* const gradient = out_gradient + i * columns;
            for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
                const Value* const from = z + graph.neighbours[e] * columns;
                for (std::int64_t h = 0; h < heads; ++h) {
                    const std::int64_t at = e * heads + h;
                    logit_gradient[at] = dot(gradient + h * width, from + h * width, width);
                    mean[h] += state.attention[at] * logit_gradient[at];
                }
            }
            for (std::int64_t h = 0; h < heads; ++h) {
                Value sum = 0;
                for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
                    const std::int64_t at = e * heads + h;
                    const Value logit =
                        state.target[i * heads + h] + state.source[graph.neighbours[e] * heads + h];
                    const Value inner = state.attention[at] * (logit_gradient[at] - mean[h]);
                    logit_gradient[at] = logit > 0 ? inner : slope * inner;
                    sum += logit_gradient[at];
                }
                of_target[i * heads + h] = sum;
            }
        }
    });
    parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t j = begin; j < end; ++j) {
            Value* const __restrict to = z_gradient + j * columns;
            std::fill(to, to + columns, Value{0});
            Value* const source = of_source.data() + j * heads;
            for (std::int64_t r = graph.reverse_offsets[j]; r < graph.reverse_offsets[j + 1]; ++r) {
                const Value* const from = out_gradient + graph.reverse_nodes[r] * columns;
                const std::int64_t at = graph.reverse_edges[r] * heads;
                for (std::int64_t h = 0; h < heads; ++h) {
                    source[h] += logit_gradient[at + h];
                    const Value share = state.attention[at + h];
                    for (std::int64_t c = 0; c < width; ++c) {
                        to[h * width + c] += share * from[h * width + c];
                    }
                }
            }
            for (std::int64_t h = 0; h < heads; ++h) {
                const Value target = of_target[j * heads + h];
                for (std::int64_t c = h * width; c < (h + 1) * width; ++c) {
                    to[c] += source[h] * source_weights[c] + target * target_weights[c];
                }
            }
        }
    });
    weighted_sums(of_source.data(), z, size, heads, width, source_gradient, threads);
    weighted_sums(of_target.data(), z, size, heads, width, target_gradient, threads);
}

}  // namespace

template <class Value>
void attend(const AttentionGraph& graph, const Value* z, const Value* source_weights,
            const Value* target_weights, std::int64_t heads, std::int64_t width,
            const EdgeDropout& dropout, EdgeState<Value>& state, Value* out, unsigned threads) {
    with_width(width, [&](auto fixed) {
        attend_of(graph, z, source_weights, target_weights, heads, fixed, dropout, state, out,
                  threads);
    });
}

template <class Value>
void attend_backward(const AttentionGraph& graph, const Value* z, const Value* source_weights,
                     const Value* target_weights, std::int64_t heads, std::int64_t width,
                     const EdgeState<Value>& state, const Value* out_gradient, Value* z_gradient,
                     Value* source_gradient, Value* target_gradient, unsigned threads) {
    with_width(width, [&](auto fixed) {
        attend_backward_of(graph, z, source_weights, target_weights, heads, fixed, state,
                           out_gradient, z_gradient, source_gradient, target_gradient, threads);
    });
}

template void attend(const AttentionGraph&, const float*, const float*, const float*, std::int64_t,
                     std::int64_t, const EdgeDropout&, EdgeState<float>&, float*, unsigned);
template void attend(const AttentionGraph&, const double*, const double*, const double*,
                     std::int64_t, std::int64_t, const EdgeDropout&, EdgeState<double>&, double*,
                     unsigned);
template void attend_backward(const AttentionGraph&, const float*, const float*, const float*,
                              std::int64_t, std::int64_t, const EdgeState<float>&, const float*,
                              float*, float*, float*, unsigned);
template void attend_backward(const AttentionGraph&, const double*, const double*, const double*,
                              std::int64_t, std::int64_t, const EdgeState<double>&, const double*,
                              double*, double*, double*, unsigned);

}  // namespace dsir::graph
