#pragma once

#include <cstdint>
#include <type_traits>

#include "lexrank/join_block.hpp"

/// What both joins share: the type of the first pass for each type of rows, and how to read
/// estimates.
namespace dsir::lexrank {

template <class Rows>
using BlockOf =
    std::conditional_t<std::is_same_v<Rows, numeric::DenseRows>, DenseBlock, SparseBlock>;

/// Whether a cosine makes an edge.
struct Wanted {
    double threshold;
    bool strict;
    bool operator()(double cosine) const {
        return strict ? cosine > threshold : cosine >= threshold;
    }
};

/// Calls body(j) for every estimate whose cosine may reach `reach`, in ascending order.
template <class Body>
void each_candidate(const float* estimate, float error, std::int64_t count, double reach,
                    Body&& body) {
    constexpr std::int64_t kStride = 32;
    const float least = static_cast<float>(reach) * (1 - 0x1p-22F) - error;
    std::int64_t j = 0;
    for (; j + kStride <= count; j += kStride) {
        // Most strides have no such estimate. One test covers a stride, and compilers vectorize it.
        int any = 0;
        for (std::int64_t k = j; k < j + kStride; ++k) any |= estimate[k] >= least;
        if (any == 0) continue;
        for (std::int64_t k = j; k < j + kStride; ++k) {
            if (estimate[k] >= least) body(k);
        }
    }
    for (; j < count; ++j) {
        if (estimate[j] >= least) body(j);
    }
}

}  // namespace dsir::lexrank
