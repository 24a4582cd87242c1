#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// Finds all pairs of similar rows.
///
/// A first pass in single precision, over an inverted index of one block of rows at a time, finds
/// the pairs whose cosine may reach the threshold, with a margin that covers the rounding. For
/// pairs within the margin `cosine_of` decides, in double precision and one fixed order. The result
/// is therefore the same as for comparing all pairs, and has the same bits for any number of
/// threads and any block size.
///
/// Bounds that keep common columns out of the index (Bayardo et al. 2007, "AllPairs"; Anastasiu &
/// Karypis 2014, "L2AP") were slower in a join with a threshold: docs/lab/lexrank.md. They are
/// faster for the nearest k, whose cosines soon are far higher than a threshold: near_rows.hpp.
namespace dsir::lexrank {

struct JoinSettings {
    double threshold = 0.1;  ///< above 0
    bool strict = false;     ///< cosine > threshold instead of >=
    bool self_edges = true;  ///< every row that is not zero is its own neighbour, with cosine 1
    unsigned threads = 1;
    /// The number of rows that are indexed at a time, at most 65,536. 0 chooses what suits the
    /// join.
    std::int64_t block_rows = 0;

    std::int64_t block_rows_or(std::int64_t usual) const {
        return block_rows == 0 ? usual : block_rows;
    }
};

/// A symmetric graph in compressed rows. The neighbours of a row ascend.
struct Graph {
    std::vector<std::int64_t> offsets;  ///< one more than rows
    std::vector<std::int32_t> neighbours;
    std::vector<double> weights;  ///< cosines; empty if they were not asked for
};

/// The edges between all rows whose cosine reaches the threshold.
template <class Rows>
Graph threshold_join(const Rows& rows, const JoinSettings& settings, bool weights);

/// The edges between each row and the `k` other rows with the highest cosines that reach the
/// threshold; among equal cosines the smaller row number comes first. Every edge goes both ways, so
/// a row may have more than k neighbours.
template <class Rows>
Graph top_k_join(const Rows& rows, const JoinSettings& settings, std::int64_t k, bool weights);

}  // namespace dsir::lexrank
