#pragma once

#include <cstdint>

#include "simd/cpu.hpp"

/// The dense parts of the attention network: products of small matrices, and the units of its first
/// layer. Matrices are stored row by row. A sum is taken in one order whatever the width, so every
/// width gives the same bits.
namespace dsir::simd {

/// The units of a layer, [rows, columns], and what a pass does to them.
template <class Value>
struct UnitLayer {
    std::int64_t columns;
    const Value* bias;  ///< [columns]
    double rate;        ///< share of the units that are left out; nothing is left out at 0
    std::uint64_t seed;
    std::int8_t* kept;  ///< [rows, columns]: 0 for units that are left out, else -1; unused at 0
};

template <class Value>
struct DenseKernels {
    /// out[i, columns] = left[i, inner] right[inner, columns], for the rows begin to end - 1: four
    /// products are added up, and then added to the sum of those before.
    void (*multiply)(const Value* left, const Value* right, Value* out, std::int64_t inner,
                     std::int64_t columns, std::int64_t begin, std::int64_t end);
    /// Adds left[i, inner]^T right[i, columns] of the rows begin to end - 1, one row after the
    /// other, to sums[inner, columns].
    void (*add_transposed)(const Value* left, const Value* right, Value* sums, std::int64_t inner,
                           std::int64_t columns, std::int64_t begin, std::int64_t end);
    /// values = ELU(values + bias), then 0 for the units that are left out, and the others divided
    /// by the share that is kept. Writes `kept`: a unit is left out if dropped(seed, place, rate).
    void (*activate)(const UnitLayer<Value>& layer, Value* values, std::int64_t begin,
                     std::int64_t end);
    /// Turns the gradient with respect to what `activate` made into that of what it was given.
    void (*activate_backward)(const UnitLayer<Value>& layer, const Value* made, Value* gradient,
                              std::int64_t begin, std::int64_t end);
};

/// The kernels of the active level. Only tests use double precision, so there is one level for it.
template <class Value>
const DenseKernels<Value>& dense_kernels();

extern const DenseKernels<float> kDenseScalar;
extern const DenseKernels<double> kDenseScalarDouble;
extern const DenseKernels<float> kDenseAvx2;
extern const DenseKernels<float> kDenseAvx512;

}  // namespace dsir::simd
