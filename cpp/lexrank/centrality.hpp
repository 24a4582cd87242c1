#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// LexRank: the stationary distribution of a random walk between similar units (Erkan & Radev 2004,
/// JAIR 22, equations 3 to 5). All sums are taken in an order that does not depend on `threads`, so
/// any number of threads gives the same bits.
namespace dsir::lexrank {

struct WalkSettings {
    double damping = 0.85;  ///< 1 - d of the paper: the probability of following an edge
    double tolerance = 1e-6;
    std::int64_t max_iterations = 1000;
    /// One entry per unit. The entries of the units that take part add up to 1. Null: uniform.
    const double* teleport = nullptr;
    /// One entry per unit: 0 if the unit takes no part, and then its score is 0. Null: all take
    /// part.
    const std::uint8_t* takes_part = nullptr;
    unsigned threads = 1;
};

struct Walk {
    std::vector<double> scores;  ///< add up to 1 unless no unit takes part
    std::int64_t iterations = 0;
    /// Sum of the magnitudes of the scores' changes in the last step; of a walk over all pairs, at
    /// least what another step would change.
    double change = 0;
    bool converged = true;
};

/// A symmetric graph in compressed sparse rows. Without weights every edge counts 1. A view: the
/// caller owns the arrays.
struct GraphView {
    std::int64_t size;
    const std::int64_t* offsets;
    const std::int32_t* neighbours;
    const double* weights;
};

/// Walks over a graph. A unit without an edge is its own neighbour.
Walk walk_graph(const GraphView& graph, const WalkSettings& settings);

/// The row sums of the graph's matrix.
std::vector<double> graph_degrees(const GraphView& graph, unsigned threads);

/// Walks over all pairs, with the cosines as edge weights, without building the graph. If X are the
/// rows at length 1, the matrix is X X^T, and a step is two products with X: O(entries) per step.
/// Entries are 0 or more. A row of zeros is its own neighbour.
template <class Rows>
Walk walk_cosines(const Rows& rows, const WalkSettings& settings);

/// The row sums of X X^T.
template <class Rows>
std::vector<double> cosine_degrees(const Rows& rows, unsigned threads);

/// The sums of each row's cosines with the other rows, weighted by their direction: `preceding` for
/// rows before it in its document, 1 - preceding for rows after it, 1/2 for rows of other
/// documents. Document d has the rows from documents[d] to documents[d + 1] - 1. O(entries), in one
/// order for any number of threads.
template <class Rows>
std::vector<double> directed_degrees(const Rows& rows, const std::vector<std::int64_t>& documents,
                                     double preceding, unsigned threads);

/// The cosines of one row with every row. The cosine with a row of zeros is 0, and that of the row
/// with itself is 1.
template <class Rows>
std::vector<double> cosines_with(const Rows& rows, std::int64_t row, unsigned threads);

}  // namespace dsir::lexrank
