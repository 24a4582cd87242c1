#pragma once

#include <immintrin.h>

#include <array>
#include <cstddef>
#include <cstdint>

/// Packs 16-bit entries, eight at a time, for files that are compiled for AVX2 or AVX-512. (Of
/// AMD's Zen 5, the instruction that compresses 64 bytes takes ten cycles, and a shuffle of sixteen
/// one.) The functions are always inlined, for the reason that cut_blocks.hpp gives.
namespace dsir::simd {

/// The places of the bytes of those of eight 16-bit entries whose bits are set in a mask, in order,
/// for a shuffle of 16 bytes.
using Packing = std::array<std::uint8_t, 16>;

/// [mask], for masks of eight bits.
constexpr std::array<Packing, 256> make_packings() {
    std::array<Packing, 256> packings{};
    for (std::size_t mask = 0; mask < 256; ++mask) {
        std::size_t size = 0;
        for (unsigned i = 0; i < 8; ++i) {
            if (((mask >> i) & 1) == 0) continue;
            packings[mask][size++] = static_cast<std::uint8_t>(2 * i);
            packings[mask][size++] = static_cast<std::uint8_t>(2 * i + 1);
        }
    }
    return packings;
}

constexpr std::array<Packing, 256> kPackings = make_packings();

/// Writes those of eight entries whose bits are set in the lower eight bits of a mask, and returns
/// how many there are. Writes eight in any case.
[[gnu::always_inline]] inline std::size_t pack(__m128i eight, std::uint64_t mask,
                                               std::uint16_t* out) {
    const auto packing = reinterpret_cast<const __m128i*>(&kPackings[mask & 0xFF]);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                     _mm_shuffle_epi8(eight, _mm_loadu_si128(packing)));
    return static_cast<std::size_t>(_mm_popcnt_u64(mask & 0xFF));
}

[[gnu::always_inline]] inline __m128i load_eight(const std::uint16_t* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

}  // namespace dsir::simd
