#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "graph/comparable_rows.hpp"

/// The first pass over one block of rows: estimates of a row's cosine with each of them. `fill`
/// writes estimates for rows begin() to `limit` - 1 of the block and returns what they may be off
/// by; for a row j of the block:
///
///     |cosine - estimate[j]| <= error + slack * part[j]
///
/// With slack 0 `part` is not looked at. Estimates of rows without negative entries are lower
/// bounds but for `error`.
namespace dsir::graph {

struct Estimate {
    float error = 0;
    float slack = 0;
    const float* part = nullptr;
};

/// An inverted index of a block: per column, the rows that have it and their weights.
class SparseBlock {
  public:
    using Comparable = ComparableSparse;

    SparseBlock(const ComparableSparse& rows, std::int64_t begin, std::int64_t end);

    /// `reach`: the cosine that is looked for; columns are left out as long as they can add only a
    /// small part of it.
    Estimate fill(std::int64_t query, std::int64_t limit, double reach, float* estimate) const;

  private:
    const ComparableSparse& rows_;
    std::int64_t begin_;
    std::int64_t end_;
    std::vector<std::uint32_t> starts_;  ///< per column, and one more
    std::vector<std::uint16_t> members_;
    std::vector<float> weights_;
    /// Cuts: the columns below cuts_[level] may be left out. parts_[level] has for each row of the
    /// block the length of its part in them, typical_[level] their root mean square.
    std::vector<std::int32_t> cuts_;
    std::vector<std::vector<float>> parts_;
    std::vector<double> typical_;
};

/// A block of dense rows at length 1, column by column, so that a query's products are made side by
/// side.
class DenseBlock {
  public:
    using Comparable = ComparableDense;

    DenseBlock(const ComparableDense& rows, std::int64_t begin, std::int64_t end);
    Estimate fill(std::int64_t query, std::int64_t limit, double reach, float* estimate) const;

  private:
    static constexpr std::int64_t kLanes = 32;

    const ComparableDense& rows_;
    std::int64_t begin_;
    std::vector<float> tiles_;  ///< kLanes rows each, column by column
};

}  // namespace dsir::graph
