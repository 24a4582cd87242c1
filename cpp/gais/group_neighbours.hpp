#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// Nearest neighbours among candidates: rows that share a group.
namespace dsir::gais {

/// One way to cut all rows into groups: rows of group g are members[offsets[g] .. offsets[g + 1]).
/// A row is in exactly one group of a table. Views: it owns nothing.
struct GroupTable {
    const std::int32_t* members;
    const std::int64_t* offsets;
    std::int64_t groups;
};

struct Neighbours {
    std::vector<std::int64_t> offsets;  ///< one more than rows
    std::vector<std::int32_t> neighbours;
    std::vector<float> cosines;
    std::vector<float> shares;  ///< of the tables in which the two share a group
};

/// For each row its `k` nearest others (by cosine; the smaller number first among equals) with
/// cosine >= threshold, among the rows that share a group with it in any table; ascending by
/// number. Rows have length 1, or 0: such a row has cosine 0 with everything. The edges are
/// directed. Exact where there is one table of one group.
Neighbours group_neighbours(const numeric::DenseRows& rows, const std::vector<GroupTable>& tables,
                            std::int64_t k, float threshold, unsigned threads);

/// Bit b of a row's code says on which side of plane b the row is: planes[bits, width].
std::vector<std::uint64_t> sign_codes(const numeric::DenseRows& rows, const float* planes,
                                      std::int64_t bits, unsigned threads);

}  // namespace dsir::gais
