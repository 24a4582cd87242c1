#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "numeric/rows.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::lexrank {

/// The cosine of two rows, from their product and their squared lengths. The order of the two rows
/// does not change the bits. If the cosine is 1 within rounding, the result is exactly 1, so that a
/// threshold of 1 finds duplicates and multiples.
inline double cosine_of(double product, double square_a, double square_b) {
    const double cosine = product / std::sqrt(square_a * square_b);
    return cosine > 1.0 - 1e-12 ? 1.0 : cosine;
}

/// Sparse rows, prepared for comparison. They are scaled to length 1, and the columns are
/// renumbered by the number of rows that have them, the commonest first. Columns ascend in a row.
class ComparableSparse {
  public:
    template <class Value>
    ComparableSparse(const numeric::SparseRows<Value>& rows, unsigned threads);

    std::int64_t size() const { return static_cast<std::int64_t>(square_.size()); }
    std::int64_t width() const { return width_; }
    bool is_zero(std::int64_t row) const { return square_[row] == 0.0; }
    bool negative() const { return negative_; }
    std::int64_t begin(std::int64_t row) const { return offsets_[row]; }
    std::int64_t end(std::int64_t row) const { return offsets_[row + 1]; }
    std::int64_t longest() const { return longest_; }
    /// The most rows that an index may have. Its positions have 32 bits, and its row numbers 16.
    std::int64_t largest_block() const {
        return std::clamp<std::int64_t>(
            (std::int64_t{1} << 31) / std::max<std::int64_t>(1, longest_), 1, 1 << 16);
    }
    std::int32_t column(std::int64_t entry) const { return columns_[entry]; }
    double weight(std::int64_t entry) const { return weights_[entry]; }

    /// Compares one row with others. Not thread-safe: use one per thread.
    class Comparison {
      public:
        explicit Comparison(const ComparableSparse& rows)
            : rows_(rows), spread_(static_cast<std::size_t>(rows.width_)) {}
        void choose(std::int64_t row) {
            set(0.0);
            row_ = row;
            set(1.0);
        }
        double cosine(std::int64_t other) const {
            double product = 0;
            for (std::int64_t k = rows_.begin(other); k < rows_.end(other); ++k) {
                product += rows_.weights_[k] * spread_[rows_.columns_[k]];
            }
            return cosine_of(product, rows_.square_[row_], rows_.square_[other]);
        }

      private:
        void set(double factor) {
            if (row_ < 0) return;
            for (std::int64_t k = rows_.begin(row_); k < rows_.end(row_); ++k) {
                spread_[rows_.columns_[k]] = factor * rows_.weights_[k];
            }
        }
        const ComparableSparse& rows_;
        std::vector<double> spread_;
        std::int64_t row_ = -1;
    };

  private:
    std::int64_t width_;
    std::vector<std::int64_t> offsets_;
    std::vector<std::int32_t> columns_;
    std::vector<double> weights_;
    std::vector<double>
        square_;  ///< squared lengths: 1 except for rounding, or 0 if the row is zero
    std::int64_t longest_ = 0;
    bool negative_ = false;
};

/// Dense rows, which are compared as they are. The caller owns the values.
class ComparableDense {
  public:
    ComparableDense(const numeric::DenseRows& rows, unsigned threads);

    std::int64_t size() const { return rows_.size; }
    std::int64_t width() const { return rows_.width; }
    bool is_zero(std::int64_t row) const { return square_[row] == 0.0; }
    bool negative() const { return negative_; }
    const float* row(std::int64_t at) const { return rows_.values + at * rows_.width; }
    double square(std::int64_t at) const { return square_[at]; }
    std::int64_t largest_block() const { return 1 << 16; }

    /// Compares one row with others. Use one per thread.
    class Comparison {
      public:
        explicit Comparison(const ComparableDense& rows) : rows_(rows) {}
        void choose(std::int64_t row) { row_ = row; }
        double cosine(std::int64_t other) const {
            return cosine_of(product(rows_.row(row_), rows_.row(other), rows_.width()),
                             rows_.square_[row_], rows_.square_[other]);
        }

      private:
        const ComparableDense& rows_;
        std::int64_t row_ = -1;
    };

    /// Four partial sums are faster than one. The order of the additions is always the same.
    static double product(const float* a, const float* b, std::int64_t width) {
        double sums[4] = {};
        std::int64_t k = 0;
        for (; k + 4 <= width; k += 4) {
            for (int lane = 0; lane < 4; ++lane) {
                sums[lane] += static_cast<double>(a[k + lane]) * static_cast<double>(b[k + lane]);
            }
        }
        for (; k < width; ++k) sums[0] += static_cast<double>(a[k]) * static_cast<double>(b[k]);
        return (sums[0] + sums[1]) + (sums[2] + sums[3]);
    }

  private:
    numeric::DenseRows rows_;
    std::vector<double> square_;
    bool negative_ = false;
};

}  // namespace dsir::lexrank
