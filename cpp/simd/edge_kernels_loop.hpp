#pragma once

#include <algorithm>
#include <limits>

#include "simd/edge_kernels.hpp"
#include "simd/edge_lanes.hpp"
#include "simd/unit_lanes.hpp"

// The unnamed namespace gives every width code of its own.
namespace dsir::simd {
namespace {

template <class Value>
void logit_parts(const EdgeLayer<Value>& layer, std::int64_t begin, std::int64_t end) {
    with_shape(layer.heads, layer.width, [&](auto heads, auto width) {
        const std::int64_t columns = heads * width;
        for (std::int64_t i = begin; i < end; ++i) {
            head_products(layer.z + i * columns, layer.source_weights, heads, width,
                          layer.source + i * heads);
            head_products(layer.z + i * columns, layer.target_weights, heads, width,
                          layer.target + i * heads);
        }
    });
}

template <class Value>
void attend(const EdgeLayer<Value>& layer, double rate, std::uint64_t seed, Value* out, Value* room,
            std::int64_t begin, std::int64_t end) {
    constexpr Value kLowest = std::numeric_limits<Value>::lowest();
    with_shape(layer.heads, layer.width, [&](auto heads, auto width) {
        const auto columns = columns_of(heads, width);
        Scratch<Value, decltype(heads)> peak_of(room);
        Scratch<Value, decltype(heads)> total_of(room + heads);
        HeadSums<Value, decltype(heads), decltype(width)> sums(heads, width, room + 2 * heads);
        Value* const peak = peak_of.data();
        Value* const total = total_of.data();
        const std::int64_t begun = layer.offsets[begin];
        std::int8_t* const kept = layer.kept + begun;
        if (rate > 0) mark_kept(seed, begun, layer.offsets[end] - begun, rate, kept);
        // The logits of all edges are consecutive, so the exponentials of several nodes are taken
        // at once: those of one node seldom fill their last vector.
        constexpr std::int64_t kTogether = 16;
        for (std::int64_t block = begin; block < end; block += kTogether) {
            const std::int64_t block_end = std::min(end, block + kTogether);
            for (std::int64_t i = block; i < block_end; ++i) {
                const std::int64_t first = layer.offsets[i];
                const std::int64_t last = layer.offsets[i + 1];
                const Value* const target = layer.target + i * heads;
                Value* const run = layer.attention + first * heads;
                for (std::int64_t h = 0; h < heads; ++h) peak[h] = kLowest;
                for (std::int64_t e = first; e < last; ++e) {
                    const std::int64_t j = layer.neighbours[e];
                    const Value* const source = layer.source + j * heads;
                    // Without a branch, since nobody can guess what dropout leaves out.
                    const bool is_out =
                        rate > 0 && ((i != j ? 1 : 0) & (kept[e - begun] == 0 ? 1 : 0)) != 0;
                    make_logits(target, source, is_out, heads, run + (e - first) * heads, peak);
                }
                const std::int64_t length = (last - first) * heads;
                for (std::int64_t e = 0; e < length; e += heads) {
                    for (std::int64_t h = 0; h < heads; ++h) run[e + h] -= peak[h];
                }
            }
            exponentials(layer.attention + layer.offsets[block] * heads,
                         (layer.offsets[block_end] - layer.offsets[block]) * heads);
            for (std::int64_t i = block; i < block_end; ++i) {
                const std::int64_t first = layer.offsets[i];
                const std::int64_t last = layer.offsets[i + 1];
                const std::int64_t length = (last - first) * heads;
                Value* const run = layer.attention + first * heads;
                for (std::int64_t h = 0; h < heads; ++h) total[h] = 0;
                for (std::int64_t e = 0; e < length; e += heads) {
                    for (std::int64_t h = 0; h < heads; ++h) total[h] += run[e + h];
                }
                for (std::int64_t h = 0; h < heads; ++h) {
                    total[h] = total[h] > 0 ? 1 / total[h] : Value{0};
                }
                for (std::int64_t e = 0; e < length; e += heads) {
                    for (std::int64_t h = 0; h < heads; ++h) run[e + h] *= total[h];
                }
                sums.clear();
                for (std::int64_t e = first; e < last; ++e) {
                    sums.add(run + (e - first) * heads, layer.z + layer.neighbours[e] * columns);
                }
                sums.copy(out + i * columns);
            }
        }
    });
}

template <class Value>
void backward_edges(const EdgeLayer<Value>& layer, const EdgeGradients<Value>& gradients,
                    Value* room, std::int64_t begin, std::int64_t end) {
    with_shape(layer.heads, layer.width, [&](auto heads, auto width) {
        const std::int64_t columns = heads * width;
        Scratch<Value, decltype(heads)> mean_of(room);
        Scratch<Value, decltype(heads)> sum_of(room + heads);
        Value* const mean = mean_of.data();
        Value* const sum = sum_of.data();
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t first = layer.offsets[i];
            const std::int64_t last = layer.offsets[i + 1];
            const Value* const target = layer.target + i * heads;
            for (std::int64_t h = 0; h < heads; ++h) mean[h] = sum[h] = 0;
            for (std::int64_t e = first; e < last; ++e) {
                const Value* const attention = layer.attention + e * heads;
                Value* const logit = gradients.logit + e * heads;
                head_products(gradients.out + i * columns, layer.z + layer.neighbours[e] * columns,
                              heads, width, logit);
                add_products(attention, logit, heads, mean);
            }
            for (std::int64_t e = first; e < last; ++e) {
                const Value* const attention = layer.attention + e * heads;
                const Value* const source = layer.source + layer.neighbours[e] * heads;
                Value* const logit = gradients.logit + e * heads;
                through_softmax(attention, target, source, mean, heads, logit, sum);
            }
            for (std::int64_t h = 0; h < heads; ++h) gradients.of_target[i * heads + h] = sum[h];
        }
    });
}

template <class Value>
void backward_nodes(const EdgeLayer<Value>& layer, const EdgeGradients<Value>& gradients,
                    Value* room, std::int64_t begin, std::int64_t end) {
    with_shape(layer.heads, layer.width, [&](auto heads, auto width) {
        const auto columns = columns_of(heads, width);
        HeadSums<Value, decltype(heads), decltype(width)> sums(heads, width, room + heads);
        Scratch<Value, decltype(heads)> source_of(room);
        Value* const source = source_of.data();
        for (std::int64_t j = begin; j < end; ++j) {
            sums.clear();
            for (std::int64_t h = 0; h < heads; ++h) source[h] = 0;
            for (std::int64_t r = layer.reverse_offsets[j]; r < layer.reverse_offsets[j + 1]; ++r) {
                const std::int64_t at = layer.reverse_edges[r] * heads;
                for (std::int64_t h = 0; h < heads; ++h) source[h] += gradients.logit[at + h];
                sums.add(layer.attention + at, gradients.out + layer.reverse_nodes[r] * columns);
            }
            const Value* const target = gradients.of_target + j * heads;
            Value* const to = gradients.z + j * columns;
            sums.copy(to);
            for (std::int64_t h = 0; h < heads; ++h) {
                gradients.of_source[j * heads + h] = source[h];
                for (std::int64_t c = h * width; c < (h + 1) * width; ++c) {
                    to[c] +=
                        source[h] * layer.source_weights[c] + target[h] * layer.target_weights[c];
                }
            }
        }
    });
}

template <class Value>
constexpr EdgeKernels<Value> kKernels = {logit_parts<Value>, attend<Value>, backward_edges<Value>,
                                         backward_nodes<Value>, exponentials<Value>};

}  // namespace
}  // namespace dsir::simd
