#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// Nearest neighbours among candidates, which are rows that share a group.
namespace dsir::gais {

/// One way to cut all rows into groups: group g has the rows members[offsets[g] .. offsets[g + 1]).
/// Every row is in exactly one group of a table. A view: the caller owns the arrays.
struct GroupTable {
    const std::int32_t* members;
    const std::int64_t* offsets;
    std::int64_t groups;
};

struct Neighbours {
    std::vector<std::int64_t> offsets;  ///< one more than rows
    std::vector<std::int32_t> neighbours;
    std::vector<float> cosines;
    std::vector<float> shares;  ///< share of the tables in which the two rows share a group
};

/// Finds for each row its `k` nearest other rows with cosine >= threshold, among the rows that
/// share a group with it in any table. Among equal cosines the smaller number comes first. The
/// neighbours of a row are ascending by number. Rows must have length 1 or 0; a row of length 0 has
/// cosine 0 with everything. Edges are directed. The result is exact if there is one table of one
/// group.
Neighbours group_neighbours(const numeric::DenseRows& rows, const std::vector<GroupTable>& tables,
                            std::int64_t k, float threshold, unsigned threads);

/// Bit b of a row's code tells on which side of plane b the row is. planes: [bits, width].
std::vector<std::uint64_t> sign_codes(const numeric::DenseRows& rows, const float* planes,
                                      std::int64_t bits, unsigned threads);

}  // namespace dsir::gais
