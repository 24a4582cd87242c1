#pragma once

#include <bit>
#include <cstring>

#include "simd/panels.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// The kernels for several points and for bounds, in vectors as wide as the registers that the flags
// allow: gcc keeps wider ones in memory between operations, which makes a kernel ten times slower.
// The unnamed namespace gives every width code of its own.
namespace dsir::simd {
namespace {

#if defined(__AVX512F__)
constexpr std::int64_t kLanes = 16;
#elif defined(__AVX2__)
constexpr std::int64_t kLanes = 8;
#else
constexpr std::int64_t kLanes = 4;
#endif
constexpr std::int64_t kPieces = kPanelRows / kLanes;
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));
using Numbers = std::int32_t __attribute__((vector_size(kLanes * sizeof(std::int32_t))));

inline void load(Floats& lanes, const float* from) {
    std::memcpy(&lanes, from, sizeof(Floats));
}

void distances_together(const float* panels, std::int64_t count, std::int64_t width,
                        const float* const* points, float* out) {
    const std::int64_t size = count * kPanelRows;
    for (std::int64_t p = 0; p < count; ++p) {
        // One piece after the other: the sums of all pieces at once would not fit the registers.
        for (std::int64_t k = 0; k < kPieces; ++k) {
            const float* const piece = panels + p * width * kPanelRows + k * kLanes;
            Floats sums[kPointsTogether] = {};
            for (std::int64_t f = 0; f < width; ++f) {
                Floats lanes;
                load(lanes, piece + f * kPanelRows);
#pragma GCC unroll 4
                for (std::int64_t n = 0; n < kPointsTogether; ++n) {
                    const Floats away = lanes - points[n][f];
                    sums[n] += away * away;
                }
            }
#pragma GCC unroll 4
            for (std::int64_t n = 0; n < kPointsTogether; ++n) {
                std::memcpy(out + n * size + p * kPanelRows + k * kLanes, &sums[n], sizeof(Floats));
            }
        }
    }
}

/// Bit k says whether lane k of `left` is below that of `right`.
inline std::uint32_t lanes_below(const Floats& left, const Floats& right) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(left, right, _CMP_LT_OQ);
#elif defined(__AVX2__)
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(left, right, _CMP_LT_OQ)));
#elif defined(__SSE2__)
    return static_cast<std::uint32_t>(_mm_movemask_ps(_mm_cmplt_ps(left, right)));
#else
    std::uint32_t bits = 0;
    for (std::int64_t k = 0; k < kLanes; ++k) bits |= (left[k] < right[k] ? 1U : 0U) << k;
    return bits;
#endif
}

std::int64_t below(const float* values, const float* bounds, std::int64_t begin, std::int64_t end,
                   std::int32_t* numbers) {
    std::int64_t found = 0;
    std::int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
        Floats own, most;
        load(own, values + i);
        load(most, bounds + i);
        for (std::uint32_t bits = lanes_below(own, most); bits != 0; bits &= bits - 1) {
            numbers[found++] = static_cast<std::int32_t>(i) + std::countr_zero(bits);
        }
    }
    for (; i < end; ++i) {
        if (values[i] < bounds[i]) numbers[found++] = static_cast<std::int32_t>(i);
    }
    return found;
}

}  // namespace
}  // namespace dsir::simd
