#pragma once

#include "simd/packing.hpp"

namespace dsir::simd {

/// The steps of PairLoop that AVX2 and AVX-512 do alike.
struct PairsOfEight {
    [[gnu::always_inline]] static std::size_t small_pairs(const std::uint16_t* numbers,
                                                          std::uint64_t mask, std::uint16_t* out) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 64; i += 8, mask >>= 8) {
            const __m128i second = _mm_slli_epi16(load_eight(numbers + i + 1), 8);
            size += pack(_mm_or_si128(load_eight(numbers + i), second), mask, out + size);
        }
        return size;
    }

    [[gnu::always_inline]] static std::size_t places(std::uint64_t mask, std::size_t offset,
                                                     std::uint16_t* out) {
        __m128i eight = _mm_add_epi16(_mm_set1_epi16(static_cast<short>(offset)),
                                      _mm_set_epi16(7, 6, 5, 4, 3, 2, 1, 0));
        std::size_t size = 0;
        for (std::size_t i = 0; i < 64; i += 8, mask >>= 8) {
            size += pack(eight, mask, out + size);
            eight = _mm_add_epi16(eight, _mm_set1_epi16(8));
        }
        return size;
    }
};

}  // namespace dsir::simd
