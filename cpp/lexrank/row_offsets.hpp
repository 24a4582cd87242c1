#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dsir::lexrank {

/// The offsets of rows from their numbers of entries: the beginning of each row, and the end. A
/// graph of a million rows may have billions of edges, so offsets have 64 bits.
inline std::vector<std::int64_t> row_offsets(const std::vector<std::int64_t>& counts) {
    std::vector<std::int64_t> offsets(counts.size() + 1);
    for (std::size_t i = 0; i < counts.size(); ++i) offsets[i + 1] = offsets[i] + counts[i];
    return offsets;
}

}  // namespace dsir::lexrank
