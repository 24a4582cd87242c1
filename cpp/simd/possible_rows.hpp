#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

namespace dsir::simd {

/// What a document must have for its key, log-weight / temperature and noise, to reach a bar.
struct NoiseNeeded {
    double temperature;   ///< above 0
    double bar;           ///< keys below it do not matter
    double least_noise;   ///< what less is needed counts as
    double most_noise;    ///< what there is: a log-weight further below the bar is out
    double steps_a_unit;  ///< of the table
    /// The random word that noise of at least least_noise + i / steps_a_unit takes, ascending. Its
    /// last step is that of the most noise a table can hold, table_top.
    const std::uint32_t* words;
    double table_top;
};

/// Writes the offsets, ascending, of documents that may reach the bar, and the random word that
/// each needs for it; returns how many they are. `eligible`: 0 for those that are out; null for all
/// above -infinity. Both outputs have room for `size` and 16 more.
using PossibleRows = std::size_t (*)(const NoiseNeeded& needed, const double* log_weight,
                                     const std::uint8_t* eligible, std::uint32_t size,
                                     std::uint32_t* offsets, std::uint32_t* words);

/// The kernel of that width. Widths the build does not have fall back to scalar.
PossibleRows possible_rows_kernel(Level level);

std::size_t possible_rows_scalar(const NoiseNeeded& needed, const double* log_weight,
                                 const std::uint8_t* eligible, std::uint32_t size,
                                 std::uint32_t* offsets, std::uint32_t* words);
std::size_t possible_rows_neon(const NoiseNeeded& needed, const double* log_weight,
                               const std::uint8_t* eligible, std::uint32_t size,
                               std::uint32_t* offsets, std::uint32_t* words);
std::size_t possible_rows_avx512(const NoiseNeeded& needed, const double* log_weight,
                                 const std::uint8_t* eligible, std::uint32_t size,
                                 std::uint32_t* offsets, std::uint32_t* words);

}  // namespace dsir::simd
