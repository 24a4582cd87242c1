#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "numeric/rows.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::lexrank {

/// The columns of a block of sparse rows: what its rows read of them, and what they add to them.
/// Both are in one cache line.
class SparseColumns {
  public:
    void resize(std::int64_t blocks, std::int64_t width) {
        width_ = width;
        cells_.resize(static_cast<std::size_t>(blocks * width));
    }
    struct Cell {
        double read;
        double sum;
    };
    struct OfBlock {
        Cell* cells;
        double read(std::int64_t column) const { return cells[column].read; }
        double& sum(std::int64_t column) const { return cells[column].sum; }
        // Out of line, gcc 12 takes a function that only prefetches for one that does nothing, and
        // leaves out its calls.
        [[gnu::always_inline]] inline void prefetch(std::int64_t column) const {
            __builtin_prefetch(cells + column, 1);
        }
    };
    OfBlock begin(std::int64_t block, const std::vector<double>& columns) {
        Cell* const cells = cells_.data() + block * width_;
        for (std::int64_t c = 0; c < width_; ++c) cells[c] = {columns[c], 0.0};
        return {cells};
    }
    double sum(std::int64_t block, std::int64_t column) const {
        return cells_[block * width_ + column].sum;
    }

  private:
    std::int64_t width_ = 0;
    std::vector<Cell> cells_;  ///< [blocks, columns]
};

/// The same of dense rows. They go through the columns in order, so each kind lies together.
class DenseColumns {
  public:
    void resize(std::int64_t blocks, std::int64_t width) {
        width_ = width;
        sums_.resize(static_cast<std::size_t>(blocks * width));
    }
    struct OfBlock {
        const double* columns;
        double* sums;
        double read(std::int64_t column) const { return columns[column]; }
        double& sum(std::int64_t column) const { return sums[column]; }
    };
    OfBlock begin(std::int64_t block, const std::vector<double>& columns) {
        double* const sums = sums_.data() + block * width_;
        std::fill(sums, sums + width_, 0.0);
        return {columns.data(), sums};
    }
    double sum(std::int64_t block, std::int64_t column) const {
        return sums_[block * width_ + column];
    }

  private:
    std::int64_t width_ = 0;
    std::vector<double> sums_;  ///< [blocks, columns]
};

/// Products with X and X^T, where X = C S are the rows: C their values, S the columns' scales.
///
/// Numbers of columns are those of C: they become numbers of X when they are multiplied by S.
///
/// The product with X^T scatters. The rows are cut into blocks, every block adds into columns of
/// its own, and then the blocks' columns are added in order. The cut depends only on the rows, so
/// the result does not depend on the number of threads.
template <class Rows>
class Products {
  public:
    Products(const Rows& rows, unsigned threads) : rows_(rows), threads_(threads) {
        // So many blocks that clearing and adding their columns costs about a quarter of the work
        // on the entries. A power of two gives two, four or eight threads the same share.
        const std::int64_t columns = std::max<std::int64_t>(1, rows.width);
        const std::int64_t most = std::min<std::int64_t>(32, rows.entries() / (4 * columns));
        while (2 * blocks_ <= std::min(most, rows.size)) blocks_ *= 2;
        of_blocks_.resize(blocks_, rows.width);
        columns_.resize(static_cast<std::size_t>(rows.width));
    }

    /// Sets the columns that rows read next.
    void read_next(const std::vector<double>& columns) {
        each_column_range([&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t c = begin; c < end; ++c) columns_[c] = columns[c] * squared_scale(c);
        });
    }

    double squared_scale(std::int64_t column) const {
        return rows_.scale(column) * rows_.scale(column);
    }

    /// Returns one over the length of each row, 0 for rows of zeros. Afterwards `sums` are those of
    /// the rows at length 1.
    std::vector<double> inverse_norms(std::vector<double>& sums) {
        std::vector<double> inverse(static_cast<std::size_t>(rows_.size));
        for (std::int64_t c = 0; c < rows_.width; ++c) columns_[c] = rows_.scale(c);
        pass_over(
            [&](std::int64_t i, const auto& columns) {
                double square = 0;
                each_ahead(i, columns, [&](std::int64_t column, double value) {
                    const double scaled = value * columns.read(column);
                    square += scaled * scaled;
                });
                return inverse[i] = square > 0 ? 1.0 / std::sqrt(square) : 0.0;
            },
            sums);
        return inverse;
    }

    /// (X S columns)[i], with the columns that were set last.
    double product(std::int64_t i) const {
        PartialSums sums;
        rows_.each(i,
                   [&](std::int64_t column, double value) { sums.add(value * columns_[column]); });
        return sums.total();
    }

    /// Calls body(i, product) for every row, where product() is (X S columns)[i] with the columns
    /// that were set last. Afterwards `sums` are C^T amounts, where the amounts are what body
    /// returns.
    template <class Body>
    void pass(const Body& body, std::vector<double>& sums) {
        pass_over(
            [&](std::int64_t i, const auto& columns) {
                return body(i, [&] {
                    PartialSums partial;
                    each_ahead(i, columns, [&](std::int64_t column, double value) {
                        partial.add(value * columns.read(column));
                    });
                    return partial.total();
                });
            },
            sums);
    }

    template <class Body>
    void each_row(const Body& body) const {
        each_row_block([&](std::int64_t, std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) body(i);
        });
    }

  private:
    static constexpr bool kDense = std::is_same_v<Rows, numeric::DenseRows>;
    static constexpr std::int64_t kColumnsAtOnce = 1024;

    /// Two partial sums are faster than one. The order of the additions is always the same.
    struct PartialSums {
        double even = 0;
        double odd = 0;
        void add(double value) {
            const double sum = even + value;
            even = odd;
            odd = sum;
        }
        double total() const { return even + odd; }
    };

    /// Calls body(column, value) for the entries of row i, and asks for the columns that are read
    /// some entries later: waiting for them is what a pass takes longest for.
    template <class Body>
    void each_ahead(std::int64_t i, const auto& columns, const Body& body) const {
        if constexpr (kDense) {
            rows_.each(i, body);
        } else {
            constexpr std::int64_t kAhead = 128;
            std::int64_t k = rows_.offsets[i];
            const std::int64_t end = rows_.offsets[i + 1];
            for (const std::int64_t last = std::min(end, rows_.entries() - kAhead); k < last; ++k) {
                columns.prefetch(rows_.columns[k + kAhead]);
                body(rows_.columns[k], static_cast<double>(rows_.values[k]));
            }
            for (; k < end; ++k) body(rows_.columns[k], static_cast<double>(rows_.values[k]));
        }
    }

    /// Calls amount(i, columns of the block) for every row, and sets `sums` to C^T amounts.
    template <class Amount>
    void pass_over(const Amount& amount, std::vector<double>& sums) {
        each_row_block([&](std::int64_t block, std::int64_t begin, std::int64_t end) {
            const auto columns = of_blocks_.begin(block, columns_);
            // Row by row: how long the second loop runs is then foreseen from the first.
            for (std::int64_t i = begin; i < end; ++i) {
                const double by = amount(i, columns);
                if (by == 0.0) continue;
                rows_.each(i, [columns, by](std::int64_t column, double value) {
                    columns.sum(column) += value * by;
                });
            }
        });
        each_column_range([&](std::int64_t begin, std::int64_t end) {
            for (; begin < end; begin += kColumnsAtOnce) {
                add_up(begin, std::min(end, begin + kColumnsAtOnce), sums);
            }
        });
    }

    template <class Body>
    void each_row_block(const Body& body) const {
        parallel::for_ranges(blocks_, threads_,
                             [&](unsigned, std::int64_t first, std::int64_t last) {
                                 for (std::int64_t b = first; b < last; ++b) {
                                     body(b, begin_of(b), begin_of(b + 1));
                                 }
                             });
    }

    template <class Body>
    void each_column_range(const Body& body) const {
        parallel::for_ranges(
            rows_.width, threads_,
            [&](unsigned, std::int64_t begin, std::int64_t end) { body(begin, end); });
    }

    /// Adds the columns of all blocks, block by block, so few columns at a time that they stay in
    /// the cache.
    void add_up(std::int64_t begin, std::int64_t end, std::vector<double>& sums) {
        double* const to = sums.data();
        std::fill(to + begin, to + end, 0.0);
        for (std::int64_t b = 0; b < blocks_; ++b) {
            for (std::int64_t c = begin; c < end; ++c) to[c] += of_blocks_.sum(b, c);
        }
    }

    std::int64_t begin_of(std::int64_t block) const {
        const std::int64_t step = (rows_.size + blocks_ - 1) / blocks_;
        return std::min(rows_.size, block * step);
    }

    const Rows& rows_;
    unsigned threads_;
    std::int64_t blocks_ = 1;
    std::conditional_t<kDense, DenseColumns, SparseColumns> of_blocks_;
    std::vector<double> columns_;  ///< what the values of rows are multiplied by
};

}  // namespace dsir::lexrank
