#pragma once

#include <cstdint>

#include "simd/cpu.hpp"

/// The loops over the edges of a graph attention layer, for ranges of nodes;
/// gais/edge_attention.hpp says what they compute. A sum is taken in one order whatever the width,
/// so every width gives the same bits.
namespace dsir::simd {

/// A layer: its graph in compressed rows, by the nodes that attend and by the nodes attended to,
/// and its weights. z: [nodes, heads * width]. A view: the caller owns all arrays.
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
    Value* source;      ///< [nodes, heads]
    Value* target;      ///< [nodes, heads]
    Value* attention;   ///< [edges, heads]
    std::int8_t* kept;  ///< [edges], scratch memory: 0 for edges that a pass leaves out, else -1
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

/// Kernels that take `room` use it as scratch memory: room_of_edge_kernels(heads, width) values.
template <class Value>
struct EdgeKernels {
    /// Writes `source` and `target` of the nodes begin to end - 1.
    void (*logit_parts)(const EdgeLayer<Value>& layer, std::int64_t begin, std::int64_t end);
    /// Writes `attention`, `kept` and `out` of the nodes. An edge is left out if dropped(seed,
    /// edge, rate).
    void (*attend)(const EdgeLayer<Value>& layer, double rate, std::uint64_t seed, Value* out,
                   Value* room, std::int64_t begin, std::int64_t end);
    /// Writes `logit` and `of_target` of the nodes, as those that attend.
    void (*backward_edges)(const EdgeLayer<Value>& layer, const EdgeGradients<Value>& gradients,
                           Value* room, std::int64_t begin, std::int64_t end);
    /// Writes `of_source` and `z` of the nodes, as those that are attended to.
    void (*backward_nodes)(const EdgeLayer<Value>& layer, const EdgeGradients<Value>& gradients,
                           Value* room, std::int64_t begin, std::int64_t end);
    /// values[k] = e^values[k], with the bits of numeric::portable_exp_float (double:
    /// portable_exp).
    void (*exponentials)(Value* values, std::int64_t size);
};

/// The kernels of the active level. Only tests use double precision, so there is one level for it.
template <class Value>
const EdgeKernels<Value>& edge_kernels();

extern const EdgeKernels<float> kEdgesScalar;
extern const EdgeKernels<double> kEdgesScalarDouble;
extern const EdgeKernels<float> kEdgesAvx2;
extern const EdgeKernels<float> kEdgesAvx512;

}  // namespace dsir::simd
