#pragma once

#include <cstdint>
#include <vector>

#include "gais/attention_graph.hpp"
#include "gais/node_runs.hpp"

/// The attention of nodes to their neighbours, and its gradient (Velickovic et al. 2018, section
/// 2.1).
namespace dsir::gais {

/// The edges that one pass leaves out at random. Whether an edge is left out depends only on the
/// seed and the number of the edge. An edge from a node to itself is never left out.
struct EdgeDropout {
    double rate = 0.0;
    std::uint64_t seed = 0;
};

/// What a pass keeps for its gradient.
template <class Value>
struct EdgeState {
    std::vector<Value> source;      ///< [nodes, heads]: part of the logit for the node attended to
    std::vector<Value> target;      ///< [nodes, heads]: part of the logit for the node that attends
    std::vector<Value> attention;   ///< [edges, heads]: softmax over a node's edges; 0 if left out
    std::vector<std::int8_t> kept;  ///< [edges], scratch memory of the dropout
};

/// Scratch memory of a gradient.
template <class Value>
struct EdgeGradientState {
    std::vector<Value> logit;      ///< [edges, heads]
    std::vector<Value> of_source;  ///< [nodes, heads]
    std::vector<Value> of_target;  ///< [nodes, heads]
};

/// Computes attention = softmax over a node's edges of LeakyReLU(a_target . z_i + a_source . z_j),
/// and out_i = sum over j of attention_ij z_j. z and out are [nodes, heads * width].
///
/// Only the nodes `to` attend, and they have no neighbours but `from`; the results of other nodes
/// are not written.
template <class Value>
void attend(const AttentionGraph& graph, const NodeRuns& from, const NodeRuns& to, const Value* z,
            const Value* source_weights, const Value* target_weights, std::int64_t heads,
            std::int64_t width, const EdgeDropout& dropout, EdgeState<Value>& state, Value* out,
            unsigned threads);

/// Computes the gradients with respect to z, [nodes, heads * width], and to the two weight vectors,
/// [heads * width], from the gradient with respect to `out`.
template <class Value>
void attend_backward(const AttentionGraph& graph, const Value* z, const Value* source_weights,
                     const Value* target_weights, std::int64_t heads, std::int64_t width,
                     EdgeState<Value>& state, EdgeGradientState<Value>& gradient_state,
                     const Value* out_gradient, Value* z_gradient, Value* source_gradient,
                     Value* target_gradient, unsigned threads);

}  // namespace dsir::gais
