#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

namespace dsir::simd {

/// Philox's key and counter, except for the row.
struct PhiloxSettings {
    std::uint64_t key;
    std::uint32_t third_word;  ///< of the counter; the fourth is 0
};

/// Writes word 1 of philox4x32({row, row >> 32, third_word, 0}, key) for every row = first_row +
/// offset. The word is the upper half of the random bits from which a draw makes its noise
/// (sampling/keys.hpp).
using PhiloxRows = void (*)(const PhiloxSettings& settings, std::uint64_t first_row,
                            const std::uint32_t* offsets, std::size_t count, std::uint32_t* words);

/// The kernel of a width. For a width that the build does not have, the scalar kernel.
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
