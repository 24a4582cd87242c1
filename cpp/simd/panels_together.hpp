#pragma once

#include <bit>
#include <cmath>
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

inline void offer(LeastTwo& least, float value, std::int64_t number) {
    if (value < least.first) {
        least.second = least.first;
        least.second_number = least.first_number;
        least.first = value;
        least.first_number = static_cast<std::int32_t>(number);
    } else if (value < least.second) {
        least.second = value;
        least.second_number = static_cast<std::int32_t>(number);
    }
}

void offer_all(const float* values, std::int64_t begin, std::int64_t end, LeastTwo* least) {
    LeastTwo known = *least;
    std::int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes) {
        Floats own;
        load(own, values + i);
        for (std::uint32_t bits = lanes_below(own, Floats{} + known.second); bits != 0;
             bits &= bits - 1) {
            const std::int64_t at = i + std::countr_zero(bits);
            offer(known, values[at], at);
        }
    }
    for (; i < end; ++i) offer(known, values[i], i);
    *least = known;
}

inline Floats roots(const Floats& values) {
#if defined(__AVX512F__)
    return _mm512_sqrt_ps(values);
#elif defined(__AVX2__)
    return _mm256_sqrt_ps(values);
#elif defined(__SSE2__)
    return _mm_sqrt_ps(values);
#else
    Floats found;
    for (std::int64_t k = 0; k < kLanes; ++k) found[k] = std::sqrt(values[k]);
    return found;
#endif
}

void balances(float* values, const float* others, std::int64_t size) {
    std::int64_t i = 0;
    for (; i + kLanes <= size; i += kLanes) {
        Floats own, other;
        load(own, values + i);
        load(other, others + i);
        const Floats a = roots(own);
        const Floats b = roots(other);
        const Floats sum = a + b;
        own = sum > 0.0F ? (a - b) / sum : Floats{};
        std::memcpy(values + i, &own, sizeof own);
    }
    for (; i < size; ++i) {
        const float a = std::sqrt(values[i]);
        const float b = std::sqrt(others[i]);
        values[i] = a + b > 0 ? (a - b) / (a + b) : 0.0F;
    }
}

}  // namespace
}  // namespace dsir::simd
