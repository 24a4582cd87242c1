#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// Small classifiers that say how well a few rows train: a nearest neighbour, a forest and a
/// linear model. They are there to compare selections with each other, not to be used as models.
///
/// Every result depends on the rows and the seed alone, and is the same on every machine.
namespace dsir::gais::judges {

/// A table whose rows have labels 0 to classes - 1. Views: it owns nothing.
struct LabelledRows {
    numeric::DenseRows rows;
    const std::int32_t* labels;
    std::int32_t classes;

    const float* row(std::int64_t at) const { return rows.values + at * rows.width; }
};

/// Numbers of rows of a table.
struct RowNumbers {
    const std::int32_t* at;
    std::int64_t size;
};

/// The label of the nearest row that is trained on, the earlier among equals.
std::vector<std::int32_t> nearest_guesses(const LabelledRows& table, const RowNumbers& train,
                                          const RowNumbers& asked);

/// Trees grown until their leaves are of one class, on a bootstrap sample each, the best of the
/// square root of the columns at a split by Gini impurity (Breiman 2001).
struct Forest {
    std::int64_t trees = 32;
    std::uint64_t seed = 0;
};

std::vector<std::int32_t> forest_guesses(const LabelledRows& table, const RowNumbers& train,
                                         const RowNumbers& asked, const Forest& forest);

/// Multinomial logistic regression, the squares of the weights added to the loss by half, by
/// accelerated gradient steps (Nesterov 1983) that start over where they overshoot.
std::vector<std::int32_t> linear_guesses(const LabelledRows& table, const RowNumbers& train,
                                         const RowNumbers& asked, std::int64_t steps);

constexpr std::int64_t kJudges = 3;

/// Shares, 0 to 1, of the rows asked that each judge gets right when it is trained on a candidate,
/// those of candidate c at members[offsets[c] .. offsets[c + 1]): [candidates, kJudges], in the
/// order above. Rows that a candidate holds are not asked of it; where none are left, 1.
std::vector<double> judge_candidates(const LabelledRows& table, const std::int32_t* members,
                                     const std::int64_t* offsets, std::int64_t candidates,
                                     const RowNumbers& asked, const Forest& forest,
                                     std::int64_t linear_steps, unsigned threads);

}  // namespace dsir::gais::judges
