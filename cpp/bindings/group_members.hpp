#pragma once

#include <algorithm>
#include <cstdint>

#include "bindings/python.hpp"

namespace dsir::bindings {

/// Checks that offsets ascend from 0 to the number of members, and that members are rows.
inline void check_cut(const Array<std::int32_t>& members, const Array<std::int64_t>& offsets,
                      std::int64_t rows) {
    require(members.ndim() == 1 && offsets.ndim() == 1 && offsets.size() >= 1,
            "members must be one-dimensional, and offsets must have one entry more than there are "
            "groups");
    require(offsets.data()[0] == 0 && offsets.data()[offsets.size() - 1] == members.size() &&
                std::is_sorted(offsets.data(), offsets.data() + offsets.size()),
            "offsets must ascend from 0 to the number of members");
    const bool within = std::all_of(members.data(), members.data() + members.size(),
                                    [&](std::int32_t row) { return row >= 0 && row < rows; });
    require(within, "a member is out of range");
}

}  // namespace dsir::bindings
