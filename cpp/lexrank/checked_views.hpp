#pragma once

#include <cstdint>
#include <span>

#include "lexrank/centrality.hpp"
#include "numeric/rows.hpp"

/// Views of arrays that came from outside, once it is sure that the kernels can follow every number
/// in them. All throw std::invalid_argument, with the row where it is one row.
namespace dsir::lexrank {

/// `offsets` ascend from 0 to the number of entries; columns ascend in a row and are below the
/// number of scales; values are 0, or 1e-100 to 1e100 in magnitude, scales 0, or 1e-45 to 1e45, so
/// that the square of a product of the two is a number too.
template <class Value>
numeric::SparseRows<Value> checked_sparse(std::span<const std::int64_t> offsets,
                                          std::span<const std::int32_t> columns,
                                          std::span<const Value> values,
                                          std::span<const double> column_scale);

/// `values`: size * width, all finite.
numeric::DenseRows checked_dense(std::int64_t size, std::int64_t width, const float* values);

/// `offsets` ascend from 0 to the number of edges; neighbours are units. `weights`: one an edge, or
/// none at all (null).
GraphView checked_graph(std::span<const std::int64_t> offsets,
                        std::span<const std::int32_t> neighbours, const double* weights);

}  // namespace dsir::lexrank
