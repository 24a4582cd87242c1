#pragma once

#include <cstdint>
#include <span>

#include "lexrank/centrality.hpp"
#include "numeric/rows.hpp"

/// Views of arrays that come from outside. The functions check everything that the kernels rely on,
/// and throw std::invalid_argument if something is wrong. The message names the row if there is one
/// to name. The views borrow the arrays.
namespace dsir::lexrank {

/// Checks that `offsets` ascend from 0 to the number of entries, and that the columns of each row
/// ascend and are below the number of scales. Values must be 0 or 1e-100 to 1e100 in magnitude,
/// scales 0 or 1e-45 to 1e45, so that the square of a value times a scale is a finite number.
template <class Value>
numeric::SparseRows<Value> checked_sparse(std::span<const std::int64_t> offsets,
                                          std::span<const std::int32_t> columns,
                                          std::span<const Value> values,
                                          std::span<const double> column_scale);

/// Checks that all `values`, which are size * width, are finite.
numeric::DenseRows checked_dense(std::int64_t size, std::int64_t width, const float* values);

/// Checks that `offsets` ascend from 0 to the number of edges and that neighbours are units.
/// `weights` has one entry per edge, or is null.
GraphView checked_graph(std::span<const std::int64_t> offsets,
                        std::span<const std::int32_t> neighbours, const double* weights);

}  // namespace dsir::lexrank
