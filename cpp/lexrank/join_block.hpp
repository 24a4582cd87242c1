#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "lexrank/comparable_rows.hpp"

/// The first pass over one block of rows, in single precision: estimates the cosine of a row with
/// each row of the block. `fill` writes the estimates for the rows from the block's first to
/// `limit` - 1, and returns how far off an estimate may be.
namespace dsir::lexrank {

/// An inverted index of a block. For each column it has the rows with an entry there, and their
/// weights.
class SparseBlock {
  public:
    using Comparable = ComparableSparse;

    SparseBlock(const ComparableSparse& rows, std::int64_t begin, std::int64_t end);

    float fill(std::int64_t query, std::int64_t limit, float* estimate) const;

    /// How far off a single-precision sum of so many products of rows at length 1 may be.
    static float rounding(std::int64_t products);

    std::int64_t begin() const { return begin_; }
    /// The entries of a column: the first, and one after the last.
    std::pair<std::uint32_t, std::uint32_t> list(std::int32_t column) const {
        return {starts_[static_cast<std::size_t>(column)],
                starts_[static_cast<std::size_t>(column) + 1]};
    }
    /// The row of an entry, counted from the block's first.
    std::uint16_t member(std::uint32_t entry) const { return members_[entry]; }
    /// Adds the weights of the entries from `from` to `to` - 1, times a factor, to the sums of
    /// their rows.
    void add(std::uint32_t from, std::uint32_t to, float factor, float* sums) const {
        const std::uint16_t* const members = members_.data();
        const float* const weights = weights_.data();
        for (std::uint32_t p = from; p < to; ++p) sums[members[p]] += factor * weights[p];
    }

  private:
    const ComparableSparse& rows_;
    std::int64_t begin_;
    std::int64_t end_;
    std::vector<std::uint32_t> starts_;  ///< one per column, and one more
    std::vector<std::uint16_t> members_;
    std::vector<float> weights_;
};

/// A block of dense rows at length 1, stored column by column, so that a query's products with
/// several rows are computed together.
class DenseBlock {
  public:
    using Comparable = ComparableDense;

    DenseBlock(const ComparableDense& rows, std::int64_t begin, std::int64_t end);
    float fill(std::int64_t query, std::int64_t limit, float* estimate) const;

  private:
    static constexpr std::int64_t kLanes = 32;

    const ComparableDense& rows_;
    std::int64_t begin_;
    std::vector<float> tiles_;  ///< tiles of kLanes rows, column by column
};

}  // namespace dsir::lexrank
