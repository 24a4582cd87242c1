#pragma once

#include <cstdint>
#include <vector>

#include "graph/attention_graph.hpp"

/// Attention of nodes to their neighbours, and its gradient (Velickovic et al. 2018, section 2.1).
namespace dsir::graph {

constexpr double kLeakySlope = 0.2;

/// Edges left out of one pass at random; an edge of a node to itself never is. Whether an edge is
/// out depends on (seed, number of the edge) alone.
struct EdgeDropout {
    double rate = 0.0;
    std::uint64_t seed = 0;
};

/// A 64-bit mix of a seed and a number (the finaliser of SplitMix64): enough for masks.
inline std::uint64_t mixed(std::uint64_t seed, std::uint64_t number) {
    std::uint64_t z = seed + (number + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}
inline bool dropped(std::uint64_t seed, std::uint64_t number, double rate) {
    return static_cast<double>(mixed(seed, number) >> 11) * 0x1p-53 < rate;
}

/// What a pass leaves for its gradient.
template <class Value>
struct EdgeState {
    std::vector<Value> source;     ///< [nodes, heads]: part of the logit of who is attended to
    std::vector<Value> target;     ///< [nodes, heads]: part of the logit of who attends
    std::vector<Value> attention;  ///< [edges, heads]: softmax over the edges of a node; 0 if out
};

/// attention = softmax over a node's edges of LeakyReLU(a_target . z_i + a_source . z_j);
/// out_i = sum of attention z_j. z and out: [nodes, heads * width].
template <class Value>
void attend(const AttentionGraph& graph, const Value* z, const Value* source_weights,
            const Value* target_weights, std::int64_t heads, std::int64_t width,
            const EdgeDropout& dropout, EdgeState<Value>& state, Value* out, unsigned threads);

/// Gradients with respect to z, [nodes, heads * width], and the two weight vectors,
/// [heads * width], from those with respect to `out`.
template <class Value>
void attend_backward(const AttentionGraph& graph, const Value* z, const Value* source_weights,
                     const Value* target_weights, std::int64_t heads, std::int64_t width,
                     const EdgeState<Value>& state, const Value* out_gradient, Value* z_gradient,
                     Value* source_gradient, Value* target_gradient, unsigned threads);

}  // namespace dsir::graph
