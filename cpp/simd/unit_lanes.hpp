#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "numeric/mixed.hpp"
#include "numeric/portable_exp.hpp"
#include "numeric/portable_exp_float.hpp"

// What the kernels of the attention network share: vectors, exponentials and the masks of dropout.
// The unnamed namespace gives every width code of its own.
namespace dsir::simd {
namespace {

using Four = float __attribute__((vector_size(16)));
using Eight = float __attribute__((vector_size(32)));
// As wide as the registers: gcc keeps wider vectors in memory between operations.
#if defined(__AVX512F__)
constexpr std::int64_t kWide = 16;
#elif defined(__AVX2__)
constexpr std::int64_t kWide = 8;
#else
constexpr std::int64_t kWide = 4;
#endif
using Wide = float __attribute__((vector_size(kWide * sizeof(float))));
using Whole4 = std::int32_t __attribute__((vector_size(16)));
using WholeWide = std::int32_t __attribute__((vector_size(kWide * sizeof(std::int32_t))));

template <class Lanes>
inline void load(Lanes& lanes, const float* from) {
    std::memcpy(&lanes, from, sizeof(Lanes));
}
template <class Lanes>
inline void store(const Lanes& lanes, float* to) {
    std::memcpy(to, &lanes, sizeof(Lanes));
}

/// values[k] = e^values[k], with the bits of portable_exp_float. Written out because compilers do
/// not vectorize that function.
template <class Lanes, class Whole>
inline void raise_lanes(Lanes& x) {
    const Lanes kept = x < -87.0F ? Lanes{} - 87.0F : (x > 88.0F ? Lanes{} + 88.0F : x);
    const Lanes shifted = kept * 1.44269504F + (kept < 0.0F ? Lanes{} - 0.5F : Lanes{} + 0.5F);
    const Whole k = __builtin_convertvector(shifted, Whole);
    const Lanes whole = __builtin_convertvector(k, Lanes);
    const Lanes r = (kept - whole * 0.693359375F) - whole * -2.12194440e-4F;
    Lanes series = Lanes{} + 1.0F / 5040.0F;
    series = series * r + 1.0F / 720.0F;
    series = series * r + 1.0F / 120.0F;
    series = series * r + 1.0F / 24.0F;
    series = series * r + 1.0F / 6.0F;
    series = series * r + 0.5F;
    series = series * r * r + r + 1.0F;
    const Whole bits = (k + 127) << 23;
    Lanes power;
    std::memcpy(&power, &bits, sizeof power);
    x = x < -87.0F ? Lanes{} : series * power;
}
template <class Lanes, class Whole>
inline void exponential_lanes(float* values) {
    Lanes x;
    load(x, values);
    raise_lanes<Lanes, Whole>(x);
    store(x, values);
}

template <class Value>
void exponentials(Value* values, std::int64_t size) {
    std::int64_t k = 0;
    if constexpr (std::is_same_v<Value, float>) {
        if constexpr (kWide > 4) {
            for (; k + kWide <= size; k += kWide) exponential_lanes<Wide, WholeWide>(values + k);
        }
        for (; k + 4 <= size; k += 4) exponential_lanes<Four, Whole4>(values + k);
        for (; k < size; ++k) values[k] = numeric::portable_exp_float(values[k]);
    } else {
        for (; k < size; ++k) values[k] = numeric::portable_exp(values[k]);
    }
}

/// kept[k] = 0 if numeric::dropped(seed, first + k, rate), otherwise -1, which is a mask of all
/// bits.
inline void mark_kept(std::uint64_t seed, std::int64_t first, std::int64_t size, double rate,
                      std::int8_t* kept) {
    // A whole number times 2^-53 is below the rate if the number is below the rate times 2^53,
    // rounded up; both products are exact.
    const auto bound = static_cast<std::int64_t>(std::ceil(rate * 0x1p53));
    std::int64_t k = 0;
#if defined(__AVX2__)
    constexpr std::int64_t kLongs = kWide / 2;
    using Longs = std::uint64_t __attribute__((vector_size(kLongs * sizeof(std::uint64_t))));
    using Signed = std::int64_t __attribute__((vector_size(kLongs * sizeof(std::int64_t))));
    using Bytes = std::int8_t __attribute__((vector_size(kLongs)));
    Longs numbers;
    for (std::int64_t n = 0; n < kLongs; ++n) numbers[n] = static_cast<std::uint64_t>(first + n);
    for (; k + kLongs <= size; k += kLongs) {
        Longs z = seed + (numbers + 1) * 0x9E3779B97F4A7C15U;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
        z = z ^ (z >> 31);
        const Signed drawn = __builtin_convertvector(z >> 11, Signed);
        const Bytes bytes = __builtin_convertvector(drawn >= bound, Bytes);
        std::memcpy(kept + k, &bytes, sizeof bytes);
        numbers += static_cast<std::uint64_t>(kLongs);
    }
#endif
    for (; k < size; ++k) {
        const std::uint64_t drawn =
            numeric::mixed(seed, static_cast<std::uint64_t>(first + k)) >> 11;
        kept[k] = static_cast<std::int64_t>(drawn) < bound ? 0 : -1;
    }
}

}  // namespace
}  // namespace dsir::simd
