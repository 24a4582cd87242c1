#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "lexrank/centrality.hpp"
#include "lexrank/walk_steps.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::lexrank {
namespace {

/// The columns of a block of sparse rows: those of the pass before, and their sums in this one. A
/// row reads the ones and adds to the others, so both are in one cache line.
class SparseColumns {
  public:
    void resize(std::int64_t blocks, std::int64_t width) {
        width_ = width;
        cells_.resize(static_cast<std::size_t>(blocks * width));
    }
    struct Cell {
        double before;
        double sum;
    };
    struct OfBlock {
        Cell* cells;
        double before(std::int64_t column) const { return cells[column].before; }
        double& sum(std::int64_t column) const { return cells[column].sum; }
        /// Asks for the columns of the entries that follow those of row i.
        template <class Rows>
        void prefetch(const Rows& rows, std::int64_t i) const {
            constexpr std::int64_t kAhead = 48;
            const std::int64_t entries = rows.entries();
            const std::int64_t end = std::min(entries, rows.offsets[i + 1] + kAhead);
            for (std::int64_t k = std::min(entries, rows.offsets[i] + kAhead); k < end; ++k) {
                __builtin_prefetch(cells + rows.columns[k], 1);
            }
        }
    };
    /// Begins a pass with the columns of the pass before.
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
        double before(std::int64_t column) const { return columns[column]; }
        double& sum(std::int64_t column) const { return sums[column]; }
        void prefetch(const numeric::DenseRows&, std::int64_t) const {}
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

/// Products with X and X^T, where X are the rows at length 1.
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
        inverse_norm_.resize(static_cast<std::size_t>(rows.size));
        each_row_block([&](std::int64_t, std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                double square = 0;
                rows_.each(i, [&](std::int64_t column, double value) {
                    const double scaled = value * rows_.scale(column);
                    square += scaled * scaled;
                });
                inverse_norm_[i] = square > 0 ? 1.0 / std::sqrt(square) : 0.0;
            }
        });
    }

    std::int64_t blocks() const { return blocks_; }
    bool is_zero(std::int64_t i) const { return inverse_norm_[i] == 0.0; }
    double inverse_norm(std::int64_t i) const { return inverse_norm_[i]; }

    /// (X columns)[i], with the columns of the last pass.
    double gather(std::int64_t i) const {
        return gather(i, [this](std::int64_t column) { return columns_[column]; });
    }

    /// Calls body(block, begin, end, gather, scatter) for every block. The body calls gather(i),
    /// which is (X columns)[i] with the columns of the pass before, and then scatter(i, amount) for
    /// its rows. Afterwards the columns are X^T amounts, times the scales that gather() needs.
    template <class Body>
    void pass(const Body& body) {
        each_row_block([&](std::int64_t block, std::int64_t begin, std::int64_t end) {
            const auto columns = of_blocks_.begin(block, columns_);
            const auto gather_here = [this, columns](std::int64_t i) {
                columns.prefetch(rows_, i);
                return gather(i, [columns](std::int64_t column) { return columns.before(column); });
            };
            body(block, begin, end, gather_here, [this, columns](std::int64_t i, double amount) {
                const double scaled = inverse_norm_[i] * amount;
                if (scaled == 0.0) return;
                rows_.each(i, [columns, scaled](std::int64_t column, double value) {
                    columns.sum(column) += value * scaled;
                });
            });
        });
        parallel::for_ranges(rows_.width, threads_,
                             [&](unsigned, std::int64_t begin, std::int64_t end) {
                                 for (; begin < end; begin += kColumnsAtOnce) {
                                     add_up(begin, std::min(end, begin + kColumnsAtOnce));
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

  private:
    static constexpr std::int64_t kColumnsAtOnce = 1024;

    template <class Column>
    double gather(std::int64_t i, const Column& column_of) const {
        // Two partial sums are faster than one. The order of the additions is always the same.
        double even = 0;
        double odd = 0;
        rows_.each(i, [&](std::int64_t column, double value) {
            const double sum = even + value * column_of(column);
            even = odd;
            odd = sum;
        });
        return inverse_norm_[i] * (even + odd);
    }

    /// Adds the columns of all blocks, block by block, so few columns at a time that they stay in
    /// the cache.
    void add_up(std::int64_t begin, std::int64_t end) {
        double* const to = columns_.data();
        std::fill(to + begin, to + end, 0.0);
        for (std::int64_t b = 0; b < blocks_; ++b) {
            for (std::int64_t c = begin; c < end; ++c) to[c] += of_blocks_.sum(b, c);
        }
        for (std::int64_t c = begin; c < end; ++c) to[c] *= rows_.scale(c) * rows_.scale(c);
    }

    std::int64_t begin_of(std::int64_t block) const {
        const std::int64_t step = (rows_.size + blocks_ - 1) / blocks_;
        return std::min(rows_.size, block * step);
    }

    const Rows& rows_;
    unsigned threads_;
    std::int64_t blocks_ = 1;
    std::conditional_t<std::is_same_v<Rows, numeric::DenseRows>, DenseColumns, SparseColumns>
        of_blocks_;
    std::vector<double> columns_;  ///< X^T amounts, ready for gather
    std::vector<double> inverse_norm_;
};

/// Chebyshev's acceleration of the power method (Golub & Varga 1961; Hageman & Young 1981, chapter
/// 4). The cosines are X X^T, so the eigenvalues of a step are from 0 to the damping. The sets of
/// scores are combined so that what they still lack shrinks at best for all of these.
class Hastened {
  public:
    explicit Hastened(double damping)
        : stretch_(2.0 / (2.0 - damping)), square_(damping / (2.0 - damping)) {
        square_ *= square_;
        // Hastening repeats rounding errors, by the square of 1 / (1 - damping). With damping 1
        // nothing shrinks for certain, and this is infinite.
        const double lost = 1.0 - damping;
        least_ = std::max(1e-10, 1e-14 / (lost * lost));
    }

    /// The part of the next step after one with this change; 0 for a plain step.
    double part(double change) {
        if (!(change > least_)) return 0.0;
        const double now = part_;
        part_ = 1.0 / (1.0 - square_ * now / (first_ ? 2.0 : 4.0));
        first_ = false;
        return now;
    }

    /// The score after `before` and `score`, from which a plain step leads to `next`.
    double next(double part, double before, double score, double next) const {
        return before + part * (stretch_ * (next - score) + (score - before));
    }

  private:
    double stretch_;
    double square_;
    double least_;  ///< below this change steps are plain
    double part_ = 1.0;
    bool first_ = true;
};

template <class Rows>
std::vector<double> degrees(Products<Rows>& products, const Rows& rows) {
    products.pass(
        [](std::int64_t, std::int64_t begin, std::int64_t end, const auto&, const auto& scatter) {
            for (std::int64_t i = begin; i < end; ++i) scatter(i, 1.0);
        });
    std::vector<double> degree(static_cast<std::size_t>(rows.size));
    products.each_row_block([&](std::int64_t, std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            degree[i] = products.is_zero(i) ? 0.0 : products.gather(i);
        }
    });
    return degree;
}

}  // namespace

template <class Rows>
std::vector<double> cosine_degrees(const Rows& rows, unsigned threads) {
    Products<Rows> products(rows, threads);
    return degrees(products, rows);
}

template <class Rows>
Walk walk_cosines(const Rows& rows, const WalkSettings& settings) {
    const WalkSteps steps(rows.size, settings);
    Walk walk;
    walk.scores.resize(static_cast<std::size_t>(rows.size));
    for (std::int64_t i = 0; i < rows.size; ++i) walk.scores[i] = steps.start(i);
    if (steps.participants() == 0) return walk;
    Products<Rows> products(rows, settings.threads);
    std::vector<double> inverse_degree = degrees(products, rows);
    for (double& degree : inverse_degree) degree = degree > 0 ? 1.0 / degree : 0.0;
    std::vector<double>& scores = walk.scores;
    const auto handed = [&](std::int64_t i) { return scores[i] * inverse_degree[i]; };
    products.pass(
        [&](std::int64_t, std::int64_t begin, std::int64_t end, const auto&, const auto& scatter) {
            for (std::int64_t i = begin; i < end; ++i) scatter(i, handed(i));
        });
    std::vector<double> changes(static_cast<std::size_t>(products.blocks()));
    std::vector<double> before = scores;
    std::vector<double> stepped = scores;
    Hastened hastened(settings.damping);
    walk.converged = false;
    walk.change = std::numeric_limits<double>::infinity();
    while (!walk.converged && walk.iterations < settings.max_iterations) {
        // One pass over the rows does both products: it takes a row's new score from the present
        // columns and adds that score to the next ones.
        const double part = hastened.part(walk.change);
        products.pass([&](std::int64_t block, std::int64_t begin, std::int64_t end,
                          const auto& gather, const auto& scatter) {
            double change = 0;
            for (std::int64_t i = begin; i < end; ++i) {
                const double score = scores[i];
                const double next = steps.next(i, inverse_degree[i] > 0 ? gather(i) : score);
                change += std::abs(next - score);
                stepped[i] = next;
                scores[i] = part == 0.0 ? next : hastened.next(part, before[i], score, next);
                before[i] = score;
                scatter(i, handed(i));
            }
            changes[block] = change;
        });
        ++walk.iterations;
        walk.change = in_order(changes);
        walk.converged = walk.change <= settings.tolerance;
    }
    scores = std::move(stepped);
    return walk;
}

template <class Rows>
std::vector<double> directed_degrees(const Rows& rows, const std::vector<std::int64_t>& documents,
                                     double preceding, unsigned threads) {
    Products<Rows> products(rows, threads);
    std::vector<double> degree = degrees(products, rows);
    // The sums of the rows of a document so far, and of all its rows. Only its own columns are
    // cleared afterwards.
    std::vector<double> before(static_cast<std::size_t>(rows.width));
    std::vector<double> within(static_cast<std::size_t>(rows.width));
    const auto add = [&](std::int64_t i, std::vector<double>& sums) {
        const double inverse = products.inverse_norm(i);
        rows.each(i, [&](std::int64_t column, double value) {
            sums[column] += value * rows.scale(column) * inverse;
        });
    };
    const auto product = [&](std::int64_t i, const std::vector<double>& sums) {
        double sum = 0;
        rows.each(i, [&](std::int64_t column, double value) {
            sum += value * rows.scale(column) * sums[column];
        });
        return sum * products.inverse_norm(i);
    };
    for (std::size_t d = 0; d + 1 < documents.size(); ++d) {
        for (std::int64_t i = documents[d]; i < documents[d + 1]; ++i) add(i, within);
        for (std::int64_t i = documents[d]; i < documents[d + 1]; ++i) {
            if (products.is_zero(i)) continue;
            const double earlier = product(i, before);
            const double all = product(i, within);
            const double elsewhere = degree[i] - all;
            degree[i] =
                preceding * earlier + (1 - preceding) * (all - earlier - 1.0) + 0.5 * elsewhere;
            add(i, before);
        }
        for (std::int64_t i = documents[d]; i < documents[d + 1]; ++i) {
            rows.each(i, [&](std::int64_t column, double) { before[column] = within[column] = 0; });
        }
    }
    return degree;
}

template <class Rows>
std::vector<double> cosines_with(const Rows& rows, std::int64_t row, unsigned threads) {
    Products<Rows> products(rows, threads);
    products.pass(
        [&](std::int64_t, std::int64_t begin, std::int64_t end, const auto&, const auto& scatter) {
            if (begin <= row && row < end) scatter(row, 1.0);
        });
    std::vector<double> cosine(static_cast<std::size_t>(rows.size));
    products.each_row_block([&](std::int64_t, std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) cosine[i] = products.gather(i);
    });
    cosine[row] = 1.0;
    return cosine;
}

#define DSIR_LEXRANK_INSTANTIATE(...)                                            \
    template Walk walk_cosines(const __VA_ARGS__&, const WalkSettings&);         \
    template std::vector<double> cosine_degrees(const __VA_ARGS__&, unsigned);   \
    template std::vector<double> directed_degrees(                               \
        const __VA_ARGS__&, const std::vector<std::int64_t>&, double, unsigned); \
    template std::vector<double> cosines_with(const __VA_ARGS__&, std::int64_t, unsigned)

DSIR_LEXRANK_INSTANTIATE(numeric::SparseRows<float>);
DSIR_LEXRANK_INSTANTIATE(numeric::SparseRows<double>);
DSIR_LEXRANK_INSTANTIATE(numeric::DenseRows);

}  // namespace dsir::lexrank
