#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

/// Counts pairs of numbers that stand for tokens.
namespace dsir::simd {

/// Numbers below this are small: pairs of them are counted in tables.
inline constexpr std::size_t kSmallNumbers = 256;

/// Where pairs are counted.
struct PairTables {
    /// How often a pair of small numbers occurs, at first + 256 * second, in either of two tables:
    /// a pair that comes again soon finds another entry, and does not wait for the sum of the
    /// first.
    std::uint32_t* small[2];
    /// How often numbers occur, but for those that are the second of a pair of small numbers.
    std::uint64_t* singles;
    const std::uint64_t* hashes;  ///< [number]
    std::uint32_t buckets;
    std::int64_t* counts;  ///< [bucket] of all other pairs, or null if they are to be listed
};

/// Counts so many pairs: (numbers[0], numbers[1]), (numbers[1], numbers[2]), ... Without counts,
/// the buckets that would be counted are written to `found`, and their number is returned.
using CountPairs = std::size_t (*)(const std::uint16_t* numbers, std::size_t pairs,
                                   const PairTables& tables, std::uint32_t* found);

/// The kernel of a width. For a width that the build does not have, the scalar kernel.
CountPairs count_pairs_kernel(Level level);

std::size_t count_pairs_scalar(const std::uint16_t* numbers, std::size_t pairs,
                               const PairTables& tables, std::uint32_t* found);
std::size_t count_pairs_avx2(const std::uint16_t* numbers, std::size_t pairs,
                             const PairTables& tables, std::uint32_t* found);
std::size_t count_pairs_avx512(const std::uint16_t* numbers, std::size_t pairs,
                               const PairTables& tables, std::uint32_t* found);

}  // namespace dsir::simd
