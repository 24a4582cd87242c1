#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

namespace dsir::simd {

/// What Philox is keyed and counted by, but for the row.
struct PhiloxSettings {
    std::uint64_t key;
    std::uint32_t third_word;  ///< of the counter; the fourth is 0
};

/// Writes word 1 of philox4x32({row, row >> 32, third_word, 0}, key) for every row = first_row +
/// offset: the upper 32 of the bits that the noise of a draw is made of (sampling/keys.hpp).
using PhiloxRows = void (*)(const PhiloxSettings& settings, std::uint64_t first_row,
                            const std::uint32_t* offsets, std::size_t count, std::uint32_t* words);

/// The kernel of that width. Widths the build does not have fall back to scalar.
PhiloxRows philox_rows_kernel(Level level);

void philox_rows_scalar(const PhiloxSettings& settings, std::uint64_t first_row,
                        const std::uint32_t* offsets, std::size_t count, std::uint32_t* words);
void philox_rows_neon(const PhiloxSettings& settings, std::uint64_t first_row,
                      const std::uint32_t* offsets, std::size_t count, std::uint32_t* words);
void philox_rows_avx2(const PhiloxSettings& settings, std::uint64_t first_row,
                      const std::uint32_t* offsets, std::size_t count, std::uint32_t* words);
void philox_rows_avx512(const PhiloxSettings& settings, std::uint64_t first_row,
                        const std::uint32_t* offsets, std::size_t count, std::uint32_t* words);

}  // namespace dsir::simd
