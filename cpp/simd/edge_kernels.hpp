#pragma once

#include <cstdint>

#include "simd/cpu.hpp"

/// The loops over the edges of a graph attention layer (gais/edge_attention.hpp says what they
/// compute), for ranges of nodes. Sums have one order, whatever the width: the same bits.
namespace dsir::simd {

/// A layer: the graph in compressed rows, by who attends and by who is attended to, and its
/// weights. z: [nodes, heads * width].
template <class Value>
struct EdgeLayer {
    const std::int64_t* offsets;
    const std::int32_t* neighbours;
    const std::int64_t* reverse_offsets;
    const std::int64_t* reverse_edges;
    const std::int32_t* reverse_nodes;
    std::int64_t heads;
    std::int64_t width;
    const Value* z;
    const Value* source_weights;
    const Value* target_weights;
    Value* source;     ///< [nodes, heads]
    Value* target;     ///< [nodes, heads]
    Value* attention;  ///< [edges, heads]
};

constexpr std::int64_t room_of_edge_kernels(std::int64_t heads, std::int64_t width) {
    return 2 * heads + heads * width;
}

template <class Value>
struct EdgeGradients {
    const Value* out;  ///< [nodes, heads * width]
    Value* z;          ///< [nodes, heads * width]
    Value* logit;      ///< [edges, heads]
    Value* of_source;  ///< [nodes, heads]
    Value* of_target;  ///< [nodes, heads]
};

/// What takes `room` writes to it: room_of_edge_kernels(heads, width) values.
template <class Value>
struct EdgeKernels {
    /// source and target of the nodes.
    void (*logit_parts)(const EdgeLayer<Value>& layer, std::int64_t begin, std::int64_t end);
    /// attention and out of the nodes; an edge is out where dropped(seed, edge, rate).
    void (*attend)(const EdgeLayer<Value>& layer, double rate, std::uint64_t seed, Value* out,
                   Value* room, std::int64_t begin, std::int64_t end);
    /// logit and of_target of the nodes that attend.
    void (*backward_edges)(const EdgeLayer<Value>& layer, const EdgeGradients<Value>& gradients,
                           Value* room, std::int64_t begin, std::int64_t end);
    /// of_source and z of the nodes attended to.
    void (*backward_nodes)(const EdgeLayer<Value>& layer, const EdgeGradients<Value>& gradients,
                           Value* room, std::int64_t begin, std::int64_t end);
    /// values[k] = e^values[k], the bits of numeric::portable_exp_float (or portable_exp).
    void (*exponentials)(Value* values, std::int64_t size);
};

/// Those of the active level; double precision, which only tests use, has one level.
template <class Value>
const EdgeKernels<Value>& edge_kernels();

extern const EdgeKernels<float> kEdgesScalar;
extern const EdgeKernels<double> kEdgesScalarDouble;
extern const EdgeKernels<float> kEdgesAvx2;
extern const EdgeKernels<float> kEdgesAvx512;

}  // namespace dsir::simd
