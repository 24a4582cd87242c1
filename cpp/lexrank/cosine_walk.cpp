#include <algorithm>
#include <cmath>
#include <vector>

#include "lexrank/centrality.hpp"
#include "lexrank/cosine_products.hpp"
#include "lexrank/walk_steps.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::lexrank {
namespace {

/// Numbers that belong to the columns of the rows.
using Columns = std::vector<double>;

/// Calls body(column) for every column, and returns the sum of what it returns. The order of the
/// additions does not depend on the threads.
template <class Body>
double sum_over(std::int64_t width, unsigned threads, const Body& body) {
    constexpr std::int64_t kColumnsABlock = 4096;
    const std::int64_t blocks = (width + kColumnsABlock - 1) / kColumnsABlock;
    std::vector<double> sums(static_cast<std::size_t>(blocks));
    parallel::for_ranges(blocks, threads, [&](unsigned, std::int64_t first, std::int64_t last) {
        for (std::int64_t b = first; b < last; ++b) {
            const std::int64_t end = std::min(width, (b + 1) * kColumnsABlock);
            double sum = 0;
            for (std::int64_t c = b * kColumnsABlock; c < end; ++c) sum += body(c);
            sums[b] = sum;
        }
    });
    return in_order(sums);
}

/// The walk in terms of columns.
///
/// X = C S are the rows at length 1, with the columns' scales S, and D are the degrees. So a step
/// leads from scores p to (1 - d) jump + d X S u, where u = C^T p / D has a number for each column.
/// The scores that a step does not change belong to the u that solves
///
///     u - d B u = (1 - d) C^T jump / D,    B = C^T X S / D.
///
/// With columns weighed by the squares of their scales B is symmetric, and its eigenvalues are from
/// 0 to 1. So the method of conjugate gradients (Hestenes & Stiefel 1952) solves it, with one pass
/// over the rows for each step. Between passes nothing is kept of a row, so a pass reads little
/// more than the entries.
template <class Rows>
class ColumnWalk {
  public:
    ColumnWalk(const Rows& rows, const WalkSettings& settings, const WalkSteps& steps)
        : rows_(rows),
          settings_(settings),
          steps_(steps),
          products_(rows, settings.threads),
          row_scales_(static_cast<std::size_t>(rows.size)),
          all_rows_(static_cast<std::size_t>(rows.width)),
          columns_(static_cast<std::size_t>(rows.width)),
          inverse_norms_(products_.inverse_norms(all_rows_)) {
        products_.read_next(all_rows_);
        products_.pass(
            [&](std::int64_t i, const auto& product) {
                const double inverse = inverse_norms_[i];
                const double degree = inverse == 0.0 ? 0.0 : inverse * product();
                const bool walks = degree > 0 && steps_.takes_part(i);
                // Length and degree in one, so that a pass reads one number for each row.
                row_scales_[i] = walks ? inverse / std::sqrt(degree) : 0.0;
                return walks ? inverse / degree * begin_at(i) : 0.0;
            },
            columns_);
    }

    void run(Walk& walk) {
        const std::int64_t width = rows_.width;
        const double damping = settings_.damping;
        const auto sum = [&](const auto& body) { return sum_over(width, settings_.threads, body); };
        Columns passed(static_cast<std::size_t>(width));
        apply(columns_, passed);
        // What a step changes, at the start. It has no part along the vectors that B does not
        // change, so the sum of each component's scores stays what it was.
        Columns rest(static_cast<std::size_t>(width));
        double square = sum([&](std::int64_t c) {
            rest[c] = damping * (passed[c] - columns_[c]);
            return products_.squared_scale(c) * rest[c] * rest[c];
        });
        Columns direction = rest;
        walk.change = change_of(rest);
        while (walk.change > settings_.tolerance && walk.iterations < settings_.max_iterations) {
            apply(direction, passed);
            const double along = sum([&](std::int64_t c) {
                passed[c] = direction[c] - damping * passed[c];
                return products_.squared_scale(c) * direction[c] * passed[c];
            });
            ++walk.iterations;
            // Rounding is all that is left.
            if (!(along > 0)) break;
            const double part = square / along;
            const double before = square;
            square = sum([&](std::int64_t c) {
                columns_[c] += part * direction[c];
                rest[c] -= part * passed[c];
                return products_.squared_scale(c) * rest[c] * rest[c];
            });
            walk.change = change_of(rest);
            const double kept = square / before;
            parallel::for_ranges(width, settings_.threads,
                                 [&](unsigned, std::int64_t c, std::int64_t end) {
                                     for (; c < end; ++c) {
                                         direction[c] = rest[c] + kept * direction[c];
                                     }
                                 });
        }
        walk.converged = walk.change <= settings_.tolerance;
        products_.read_next(columns_);
        products_.each_row([&](std::int64_t i) {
            walk.scores[i] = inverse_norms_[i] > 0
                                 ? steps_.next(i, inverse_norms_[i] * products_.product(i))
                                 : begin_at(i);
        });
    }

  private:
    /// Where the walk of a row begins, and where that of a row of zeros ends. If steps go on for
    /// ever, they keep what each component began with.
    double begin_at(std::int64_t row) const {
        return settings_.damping < 1.0 ? steps_.jump(row) : steps_.start(row);
    }

    /// to = B columns
    void apply(const Columns& columns, Columns& to) {
        products_.read_next(columns);
        products_.pass(
            [&](std::int64_t i, const auto& product) {
                return row_scales_[i] * (row_scales_[i] * product());
            },
            to);
    }

    /// A bound on what a step changes of the scores, in sum: entries of rows are not negative.
    double change_of(const Columns& rest) const {
        return settings_.damping * sum_over(rows_.width, settings_.threads, [&](std::int64_t c) {
                   return products_.squared_scale(c) * std::abs(rest[c]) * all_rows_[c];
               });
    }

    const Rows& rows_;
    const WalkSettings& settings_;
    const WalkSteps& steps_;
    Products<Rows> products_;
    std::vector<double> row_scales_;  ///< they make X / sqrt(D) of the given rows
    Columns all_rows_;                ///< the sum of the rows at length 1
    Columns columns_;                 ///< u
    std::vector<double> inverse_norms_;
};

}  // namespace

template <class Rows>
Walk walk_cosines(const Rows& rows, const WalkSettings& settings) {
    const WalkSteps steps(rows.size, settings);
    Walk walk;
    walk.scores.resize(static_cast<std::size_t>(rows.size));
    if (steps.participants() == 0) return walk;
    ColumnWalk(rows, settings, steps).run(walk);
    return walk;
}

template Walk walk_cosines(const numeric::SparseRows<float>&, const WalkSettings&);
template Walk walk_cosines(const numeric::SparseRows<double>&, const WalkSettings&);
template Walk walk_cosines(const numeric::DenseRows&, const WalkSettings&);

}  // namespace dsir::lexrank
