#pragma once

#include <cstdint>
#include <vector>

#include "gais/attention_graph.hpp"

/// Attention of nodes to their neighbours, and its gradient (Velickovic et al. 2018, section 2.1).
namespace dsir::gais {

/// Edges left out of one pass at random; an edge of a node to itself never is. Whether an edge is
/// out depends on (seed, number of the edge) alone.
struct EdgeDropout {
    double rate = 0.0;
    std::uint64_t seed = 0;
};

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
                     EdgeState<Value>& state, const Value* out_gradient, Value* z_gradient,
                     Value* source_gradient, Value* target_gradient, unsigned threads);

}  // namespace dsir::gais
