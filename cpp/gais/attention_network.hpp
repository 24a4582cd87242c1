#pragma once

#include <cstdint>
#include <vector>

#include "gais/attention_graph.hpp"
#include "gais/edge_attention.hpp"

/// Two layers of graph attention (Velickovic et al. 2018). The heads of the first layer are
/// concatenated and pass through an ELU; the heads of the second are averaged into one logit per
/// class.
namespace dsir::gais {

struct NetworkShape {
    std::int64_t features = 0;
    std::int64_t heads = 0;
    std::int64_t hidden = 0;  ///< per head
    std::int64_t classes = 0;

    std::int64_t joined() const { return heads * hidden; }
    std::int64_t logits() const { return heads * classes; }
    /// The number of weights. They are one row, in this order: W1 [features, heads * hidden],
    /// source1, target1, bias1 [heads * hidden each]; W2 [heads * hidden, heads * classes],
    /// source2, target2 [heads * classes each], bias2 [classes].
    std::int64_t weights() const {
        return features * joined() + 3 * joined() + joined() * logits() + 2 * logits() + classes;
    }
};

/// What one step of training leaves out at random.
struct Dropout {
    double edges = 0.0;   ///< share of the edges, in each layer
    double hidden = 0.0;  ///< share of the outputs of the first layer
    std::uint64_t seed = 0;
};

template <class Value>
struct NetworkOutput {
    std::vector<Value> embeddings;       ///< [nodes, heads * hidden]: the first layer after the ELU
    std::vector<Value> logits;           ///< [nodes, classes]
    std::vector<Value> first_attention;  ///< [edges, heads]
    std::vector<Value> second_attention;  ///< [edges, heads]
};

/// What a pass through the network computes.
template <class Value>
struct NetworkPass {
    std::vector<Value> first_z;
    std::vector<Value> hidden;      ///< after ELU and dropout
    std::vector<std::int8_t> kept;  ///< [nodes, heads * hidden]: 0 for units that are left out
    std::vector<Value> second_z;
    std::vector<Value> heads;  ///< the outputs of the second layer's heads
    std::vector<Value> logits;
    EdgeState<Value> first;
    EdgeState<Value> second;
};

/// Memory of network_gradient, which a caller keeps from step to step: fresh pages in every step
/// took a quarter of the time. What it holds before a call does not matter.
template <class Value>
struct NetworkMemory {
    NetworkPass<Value> pass;
    EdgeGradientState<Value> edges;
    std::vector<Value> of_heads, of_z, of_hidden;
};

template <class Value>
NetworkOutput<Value> run_network(const AttentionGraph& graph, const Value* features,
                                 const NetworkShape& shape, const Value* weights, unsigned threads);

/// The logits of `count` of the nodes, [count, classes]: those of run_network, without the work for
/// nodes that they do not depend on.
template <class Value>
std::vector<Value> node_logits(const AttentionGraph& graph, const std::int32_t* nodes,
                               std::int64_t count, const Value* features, const NetworkShape& shape,
                               const Value* weights, unsigned threads);

/// Returns the cross-entropy of the labels, weighted by `node_weights` (which are used as they
/// are), and writes its gradient, [shape.weights()]. The loss is summed in double precision.
template <class Value>
double network_gradient(const AttentionGraph& graph, const Value* features,
                        const std::int32_t* labels, const Value* node_weights,
                        const NetworkShape& shape, const Value* weights, const Dropout& dropout,
                        NetworkMemory<Value>& memory, Value* gradient, unsigned threads);

}  // namespace dsir::gais
