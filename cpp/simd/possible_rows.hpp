#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

namespace dsir::simd {

/// The bar that a document's key (log-weight / temperature + noise) has to reach, and a table of
/// the random words that noise needs.
struct NoiseNeeded {
    double temperature;   ///< above 0
    double bar;           ///< keys below the bar do not matter
    double least_noise;   ///< a smaller need counts as this much
    double most_noise;    ///< the most noise there is: if more is needed, the document is out
    double steps_a_unit;  ///< steps of the table per unit of noise
    /// words[i] is the least random word that gives noise of at least least_noise + i /
    /// steps_a_unit; the words ascend. The last step of the table is for the noise table_top.
    const std::uint32_t* words;
    double table_top;
};

/// Writes the offsets, ascending, of the documents that may reach the bar, and the random word that
/// each of them needs; returns their number. `eligible` has 0 for documents that are out; if it is
/// null, every log-weight above -infinity is eligible. Both outputs must have room for `size` + 16
/// entries.
using PossibleRows = std::size_t (*)(const NoiseNeeded& needed, const double* log_weight,
                                     const std::uint8_t* eligible, std::uint32_t size,
                                     std::uint32_t* offsets, std::uint32_t* words);

/// The kernel of a width. For a width that the build does not have, the scalar kernel.
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
