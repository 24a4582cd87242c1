#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dsir::lexrank {

/// Where each row begins, and one more, from the entries of each. A graph of a million rows may
/// have billions of edges: 64 bits throughout.
inline std::vector<std::int64_t> row_offsets(const std::vector<std::int64_t>& counts) {
    std::vector<std::int64_t> offsets(counts.size() + 1);
    for (std::size_t i = 0; i < counts.size(); ++i) offsets[i + 1] = offsets[i] + counts[i];
    return offsets;
}

}  // namespace dsir::lexrank
