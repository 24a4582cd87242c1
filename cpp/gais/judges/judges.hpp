#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// Small classifiers that tell how well a few rows train: a nearest neighbour, a forest and a
/// linear model. They are there to compare selections with each other, and not to be used as
/// models.
///
/// Every result depends only on the rows and the seed, and is the same on every machine.
namespace dsir::gais::judges {

/// A table whose rows have the labels 0 to classes - 1. A view: the caller owns the arrays.
struct LabelledRows {
    numeric::DenseRows rows;
    const std::int32_t* labels;
    std::int32_t classes;

    const float* row(std::int64_t at) const { return rows.values + at * rows.width; }
};

/// The numbers of rows of a table. A view: the caller owns the array.
struct RowNumbers {
    const std::int32_t* at;
    std::int64_t size;
};

/// The label of the nearest training row for each row asked. Among equally near rows the earlier
/// one counts.
std::vector<std::int32_t> nearest_guesses(const LabelledRows& table, const RowNumbers& train,
                                          const RowNumbers& asked);

/// A forest of trees that are grown until each leaf has one class. Every tree gets a bootstrap
/// sample, and every split is the best by Gini impurity among as many columns as the square root of
/// their number (Breiman 2001).
struct Forest {
    std::int64_t trees = 32;
    std::uint64_t seed = 0;
};

std::vector<std::int32_t> forest_guesses(const LabelledRows& table, const RowNumbers& train,
                                         const RowNumbers& asked, const Forest& forest);

/// Multinomial logistic regression. Half the sum of the squared weights is added to the loss. The
/// optimizer takes accelerated gradient steps (Nesterov 1983) and starts over when they overshoot.
std::vector<std::int32_t> linear_guesses(const LabelledRows& table, const RowNumbers& train,
                                         const RowNumbers& asked, std::int64_t steps);

constexpr std::int64_t kJudges = 3;

/// The share of the rows asked, 0 to 1, that each judge gets right after training on a candidate:
/// [candidates, kJudges], with the judges in the order above. Candidate c has the rows
/// members[offsets[c] .. offsets[c + 1]). A candidate is not asked about its own rows; if no other
/// rows are asked, its share is 1.
std::vector<double> judge_candidates(const LabelledRows& table, const std::int32_t* members,
                                     const std::int64_t* offsets, std::int64_t candidates,
                                     const RowNumbers& asked, const Forest& forest,
                                     std::int64_t linear_steps, unsigned threads);

}  // namespace dsir::gais::judges
