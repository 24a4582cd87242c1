#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dsir::lexrank {

/// The pairs of neighbouring terms that several rows have, each once in a row.
struct SharedPairs {
    std::vector<std::int64_t>
        offsets;                      ///< row r has pairs[offsets[r]] to pairs[offsets[r + 1] - 1]
    std::vector<std::int64_t> pairs;  ///< numbered by their first occurrence
    std::vector<std::int64_t> rows;   ///< per pair: how many rows have it
};

/// Finds the pairs that at least `least` rows have; if there are none, all pairs. Row r has the
/// terms terms[offsets[r]] to terms[offsets[r + 1] - 1], which are 1 or more. A row of a single
/// term has the pair (0, term), and a row without terms has no pair.
SharedPairs shared_pairs(std::span<const std::int64_t> offsets, std::span<const std::int32_t> terms,
                         std::int64_t least);

}  // namespace dsir::lexrank
