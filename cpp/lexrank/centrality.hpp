#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// LexRank: the stationary distribution of a walk over units that are alike. Source: Erkan & Radev
/// 2004 (JAIR 22), equations 3 to 5; docs/algorithms.md, section 10. All sums are taken in an order that does
/// not depend on `threads`, so results are the same bits for any number of them.
namespace dsir::lexrank {

struct WalkSettings {
    double damping = 0.85;  ///< 1 - d of the paper: probability of following an edge
    double tolerance = 1e-6;
    std::int64_t max_iterations = 1000;
    /// Per unit, adding up to 1 over those that take part; null: uniform.
    const double* teleport = nullptr;
    /// Per unit, 0 where it takes no part: its score is 0. Null: all do.
    const std::uint8_t* takes_part = nullptr;
    unsigned threads = 1;
};

struct Walk {
    std::vector<double> scores;  ///< add up to 1, unless no unit takes part
    std::int64_t iterations = 0;
    double change = 0;  ///< sum of the magnitudes of the last step's changes
    bool converged = true;
};

/// A symmetric graph in compressed sparse rows; without weights every edge counts 1.
struct GraphView {
    std::int64_t size;
    const std::int64_t* offsets;
    const std::int32_t* neighbours;
    const double* weights;
};

/// The walk over a graph. A unit without an edge is its own neighbour.
Walk walk_graph(const GraphView& graph, const WalkSettings& settings);

/// Sums of the rows of the graph's matrix.
std::vector<double> graph_degrees(const GraphView& graph, unsigned threads);

/// The walk over all pairs, edges weighted by the cosine, without the graph: with X the rows at
/// length 1, its matrix is X X^T, and a step is two products with X. O(entries) a step.
/// A row of zeros is its own neighbour.
template <class Rows>
Walk walk_cosines(const Rows& rows, const WalkSettings& settings);

/// Sums of the rows of X X^T.
template <class Rows>
std::vector<double> cosine_degrees(const Rows& rows, unsigned threads);

/// Cosine of one row with every row; 0 where either is zero, but 1 of a row with itself.
template <class Rows>
std::vector<double> cosines_with(const Rows& rows, std::int64_t row, unsigned threads);

}  // namespace dsir::lexrank
