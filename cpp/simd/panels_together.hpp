#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

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

/// Sums in eight lanes, as gais::dot takes them, for one piece of a panel after the other: the sums
/// of all pieces at once would not fit the registers.
void lane_products(const float* panels, std::int64_t count, std::int64_t width, const float* point,
                   float* out) {
    for (std::int64_t p = 0; p < count; ++p) {
        for (std::int64_t k = 0; k < kPieces; ++k) {
            const float* const piece = panels + p * width * kPanelRows + k * kLanes;
            Floats sums[8] = {};
            std::int64_t f = 0;
            for (; f + 8 <= width; f += 8) {
#pragma GCC unroll 8
                for (std::int64_t lane = 0; lane < 8; ++lane) {
                    Floats own;
                    load(own, piece + (f + lane) * kPanelRows);
                    sums[lane] += own * point[f + lane];
                }
            }
#pragma GCC unroll 8
            for (std::int64_t lane = 0; lane < 8; ++lane) {
                if (f + lane >= width) break;
                Floats own;
                load(own, piece + (f + lane) * kPanelRows);
                sums[lane] += own * point[f + lane];
            }
            const Floats sum = ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
                               ((sums[2] + sums[6]) + (sums[3] + sums[7]));
            std::memcpy(out + p * kPanelRows + k * kLanes, &sum, sizeof sum);
        }
    }
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

/// Bit k says whether lane k of `left` is at most that of `right`.
inline std::uint32_t lanes_at_most(const Floats& left, const Floats& right) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(left, right, _CMP_LE_OQ);
#elif defined(__AVX2__)
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(left, right, _CMP_LE_OQ)));
#elif defined(__SSE2__)
    return static_cast<std::uint32_t>(_mm_movemask_ps(_mm_cmple_ps(left, right)));
#else
    std::uint32_t bits = 0;
    for (std::int64_t k = 0; k < kLanes; ++k) bits |= (left[k] <= right[k] ? 1U : 0U) << k;
    return bits;
#endif
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

/// The place-th smallest of some panels of values: the greatest with fewer than `place` below it.
inline float least_at_place(const float* values, std::int64_t count, std::int32_t place) {
    const Floats none = Floats{} - std::numeric_limits<float>::infinity();
    Floats greatest = none;
    for (std::int64_t i = 0; i < count * kPanelRows; i += kLanes) {
        Floats own;
        load(own, values + i);
        Numbers smaller = {};
        for (std::int64_t k = 0; k < count * kPanelRows; ++k) smaller -= values[k] < own;
        const Floats few = smaller < place ? own : none;
        greatest = few > greatest ? few : greatest;
    }
    float limit = greatest[0];
    for (std::int64_t lane = 1; lane < kLanes; ++lane) {
        limit = greatest[lane] > limit ? greatest[lane] : limit;
    }
    return limit;
}

/// Writes the least value of each lane of the panels.
inline void lane_minima(const float* values, std::int64_t count, float* minima) {
    Floats least[kPieces];
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < kPieces; ++k) {
        least[k] = Floats{} + std::numeric_limits<float>::infinity();
    }
    for (std::int64_t p = 0; p < count; ++p) {
#pragma GCC unroll 4
        for (std::int64_t k = 0; k < kPieces; ++k) {
            Floats own;
            load(own, values + p * kPanelRows + k * kLanes);
            least[k] = own < least[k] ? own : least[k];
        }
    }
    std::memcpy(minima, least, sizeof least);
}

std::int64_t at_most(const float* values, std::int64_t count, float limit, std::int32_t* numbers) {
    std::int64_t found = 0;
    for (std::int64_t i = 0; i < count * kPanelRows; i += kLanes) {
        Floats own;
        load(own, values + i);
        for (std::uint32_t bits = lanes_at_most(own, Floats{} + limit); bits != 0;
             bits &= bits - 1) {
            numbers[found++] = static_cast<std::int32_t>(i) + std::countr_zero(bits);
        }
    }
    return found;
}

inline std::int64_t below_limit(const float* values, std::int64_t count, float limit,
                                std::int32_t* numbers) {
    std::int64_t found = 0;
    for (std::int64_t i = 0; i < count * kPanelRows; i += kLanes) {
        Floats own;
        load(own, values + i);
        for (std::uint32_t bits = lanes_below(own, Floats{} + limit); bits != 0; bits &= bits - 1) {
            numbers[found++] = static_cast<std::int32_t>(i) + std::countr_zero(bits);
        }
    }
    return found;
}

std::int64_t least_few(const float* values, std::int64_t count, std::int32_t* numbers,
                       float* limit) {
    float minima[kPanelRows];
    lane_minima(values, count, minima);
    *limit = least_at_place(minima, 1, kFew);
    return below_limit(values, count, *limit, numbers);
}

float place_least(const float* values, std::int64_t count, std::int32_t place) {
    // As many values as the place are no greater than this many minima, so that the others do not
    // count.
    float minima[kPanelRows];
    lane_minima(values, count, minima);
    const float most = least_at_place(minima, 1, place);
    // Values go to a buffer of fixed size. When it is full, those beyond the place are dropped.
    constexpr std::int64_t kRoom = 8 * kPanelRows;
    float held[kRoom];
    std::int64_t size = 0;
    float limit = most;
    const auto limit_of_held = [&] {
        const std::int64_t panels = (size + kPanelRows - 1) / kPanelRows;
        for (std::int64_t k = size; k < panels * kPanelRows; ++k) {
            held[k] = std::numeric_limits<float>::infinity();
        }
        return least_at_place(held, panels, place);
    };
    for (std::int64_t i = 0; i < count * kPanelRows; i += kLanes) {
        Floats own;
        load(own, values + i);
        const std::uint32_t bits = lanes_below(own, Floats{} + limit);
        for (std::uint32_t left = bits; left != 0; left &= left - 1) {
            held[size++] = values[i + std::countr_zero(left)];
        }
        if (size <= kRoom - kLanes) continue;
        limit = limit_of_held();
        std::int64_t kept = 0;
        for (std::int64_t k = 0; k < size; ++k) {
            if (held[k] < limit) held[kept++] = held[k];
        }
        size = kept;
    }
    // Fewer than `place` values are below a limit that is the place-th smallest itself.
    if (size < place) return limit;
    return limit_of_held();
}

std::int64_t either_equal(const std::int32_t* one, const std::int32_t* other, std::int32_t value,
                          std::int64_t begin, std::int64_t end, std::int32_t* numbers) {
    std::int64_t found = 0;
    // Few rows are, so whole blocks are skipped.
    constexpr std::int64_t kBlock = 64;
    std::int64_t i = begin;
    while (i < end) {
        const std::int64_t last = end - i < kBlock ? end : i + kBlock;
        if (last - i == kBlock) {
            Numbers any = {};
#pragma GCC unroll 16
            for (std::int64_t k = 0; k < kBlock; k += kLanes) {
                Numbers a, b;
                std::memcpy(&a, one + i + k, sizeof a);
                std::memcpy(&b, other + i + k, sizeof b);
                any |= (a == value) | (b == value);
            }
            std::int32_t sum = 0;
            for (std::int64_t k = 0; k < kLanes; ++k) sum |= any[k];
            if (sum == 0) {
                i = last;
                continue;
            }
        }
        for (; i < last; ++i) {
            if (one[i] == value || other[i] == value)
                numbers[found++] = static_cast<std::int32_t>(i);
        }
    }
    return found;
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
