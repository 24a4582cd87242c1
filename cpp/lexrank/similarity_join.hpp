#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// All pairs of rows that are alike.
///
/// A first pass in single precision, over an inverted index of a block of rows at a time, finds the
/// pairs whose cosine may reach the threshold, with a margin that covers its rounding; pairs within
/// the margin are decided by `cosine_of`, in double precision and one fixed order. The result is
/// therefore that of all pairs, and the same bits for any number of threads or size of block.
///
/// With a threshold, bounds that leave common columns out of the index (Bayardo et al. 2007,
/// "AllPairs"; Anastasiu & Karypis 2014, "L2AP") were built and measured, and lost:
/// docs/lab/lexrank.md. For the nearest k, whose cosine soon is far higher, they pay: near_rows.hpp.
namespace dsir::lexrank {

struct JoinSettings {
    double threshold = 0.1;  ///< above 0
    bool strict = false;     ///< cosine > threshold instead of >=
    bool self_edges = true;  ///< every row that is not zero is its own neighbour, cosine 1
    unsigned threads = 1;
    /// Rows that are indexed at a time, at most 65,536; 0: as suits the join.
    std::int64_t block_rows = 0;

    std::int64_t block_rows_or(std::int64_t usual) const {
        return block_rows == 0 ? usual : block_rows;
    }
};

/// A symmetric graph: neighbours ascend in a row.
struct Graph {
    std::vector<std::int64_t> offsets;  ///< one more than rows
    std::vector<std::int32_t> neighbours;
    std::vector<double> weights;  ///< cosines; empty where they were not asked for
};

/// Edges between all rows whose cosine reaches the threshold.
template <class Rows>
Graph threshold_join(const Rows& rows, const JoinSettings& settings, bool weights);

/// Edges between each row and the `k` others with the highest cosine that reaches the threshold
/// (the smaller row number first among equals), and back: the union of both directions, so a row
/// may have more than k neighbours.
template <class Rows>
Graph top_k_join(const Rows& rows, const JoinSettings& settings, std::int64_t k, bool weights);

}  // namespace dsir::lexrank
