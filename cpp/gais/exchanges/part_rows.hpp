#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gais/exchanges/sparse_rows.hpp"

namespace dsir::gais::exchanges {

/// The value that a row has in a column: `other` is the column in a list by row, and the row in a
/// list by column.
struct Entry {
    std::int32_t other;
    float value;
};

/// Some of the rows of a sparse table, numbered anew from 0, with their entries by row and by
/// column. A column that one row alone has tells nothing of the others, and is left out of the
/// lists; it counts in `sum` and in the row's product with itself.
class PartRows {
  public:
    /// @param members the rows of the part
    /// @param labels [table.rows], 0 to classes - 1
    PartRows(const SparseRowsView& table, std::span<const std::int32_t> members,
             const std::int32_t* labels, std::int32_t classes);

    std::int32_t rows() const { return static_cast<std::int32_t>(labels_.size()); }
    std::int32_t classes() const { return classes_; }
    std::int32_t columns() const { return static_cast<std::int32_t>(column_ends_.size()) - 1; }
    /// How many columns there are that a row has, with those left out.
    std::int64_t width() const { return width_; }
    std::int32_t label(std::int32_t row) const { return labels_[row]; }
    /// The sum of the row's values.
    double sum(std::int32_t row) const { return sums_[row]; }

    std::span<const Entry> row(std::int32_t row) const {
        return {by_row_.data() + row_ends_[row], by_row_.data() + row_ends_[row + 1]};
    }
    std::span<const Entry> column(std::int32_t column) const {
        return {by_column_.data() + column_ends_[column],
                by_column_.data() + column_ends_[column + 1]};
    }

    /// Writes the products of a row with every row: out[rows()].
    void products(std::int32_t row, float* out) const;

  private:
    std::int64_t width_ = 0;
    std::int32_t classes_;
    std::vector<std::int32_t> labels_;
    std::vector<double> sums_;
    std::vector<float> squares_;  ///< the products of rows with themselves
    std::vector<std::int64_t> row_ends_;
    std::vector<std::int64_t> column_ends_;
    std::vector<Entry> by_row_;
    std::vector<Entry> by_column_;
};

}  // namespace dsir::gais::exchanges
