#pragma once

#include <cstdint>
#include <vector>

namespace dsir::gais {

/// A sparse matrix in compressed rows. Row r has the entries [offsets[r],
/// offsets[r + 1]). A view: the caller owns the arrays.
struct SparseRows {
    std::int64_t rows;
    std::int64_t columns;
    const std::int64_t* offsets;
    const std::int32_t* indices;  ///< 0 to columns - 1
    const double* values;
};

/// out[rows, width] = matrix · dense[columns, width]. Each row is summed in the
/// order of its entries, so any number of threads gives the same bits.
void multiply_sparse(const SparseRows& matrix, const double* dense, std::int64_t width, double* out,
                     unsigned threads);

/// The right singular vectors of the largest singular values: [columns, rank],
/// by falling singular value. Randomized subspace iteration (Halko, Martinsson
/// & Tropp 2011, algorithm 4.4) from the directions `start`, [columns, width]
/// with width >= rank. A direction of singular value 0 is 0.
///
/// Only basic operations and square roots are used, in one order, so that every
/// machine gives the same bits.
std::vector<double> principal_directions(const SparseRows& matrix, const double* start,
                                         std::int64_t width, std::int64_t rank, int iterations,
                                         unsigned threads);

}  // namespace dsir::gais
