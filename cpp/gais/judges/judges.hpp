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

/// The rows that a judge is trained on. Row at[i] stands for weight[i] rows, or for one row if
/// there are no weights. A view: the caller owns the arrays.
struct TrainingRows {
    const std::int32_t* at;
    const std::int32_t* weight;  ///< null if every row stands for itself alone
    std::int64_t size;

    std::int32_t weight_of(std::int64_t i) const { return weight == nullptr ? 1 : weight[i]; }
};

/// What a judge says of a row: the label, and the probability of the row's own label.
struct Answer {
    std::int32_t guess;
    float own;
};

/// The label of the nearest training row for each row asked. Among equally near rows the earlier
/// one counts. The probabilities are those of two rows: the nearest one, and one that is shared by
/// all classes. Weights count for nothing.
std::vector<Answer> nearest_answers(const LabelledRows& table, const TrainingRows& train,
                                    const RowNumbers& asked);

/// A forest of trees that are grown until each leaf has one class. Every tree gets a bootstrap
/// sample, and every split is the best by Gini impurity among as many columns as the square root of
/// their number (Breiman 2001). Each row counts as often as its weight says. The probabilities are
/// the trees' votes and one more vote, which is shared by all classes.
struct Forest {
    std::int64_t trees = 32;
    std::uint64_t seed = 0;
};

std::vector<Answer> forest_answers(const LabelledRows& table, const TrainingRows& train,
                                   const RowNumbers& asked, const Forest& forest);

/// Multinomial logistic regression. Half the sum of the squared coefficients is added to the loss,
/// in which each row counts by its weight over the mean weight. The optimizer takes accelerated
/// gradient steps (Nesterov 1983) and starts over when they overshoot.
std::vector<Answer> linear_answers(const LabelledRows& table, const TrainingRows& train,
                                   const RowNumbers& asked, std::int64_t steps);

constexpr std::int64_t kJudges = 3;

/// What the judges said of the rows asked, after training on each candidate. Judges are in the
/// order above.
struct Verdicts {
    /// [candidates, kJudges, classes, 3]: how many rows of a class there were, how many rows the
    /// judge gave to the class, and how many it gave rightly.
    std::vector<std::int64_t> tallies;
    /// [candidates, kJudges]: the mean of -log(the probability of a row's own label).
    std::vector<double> log_loss;
};

/// The candidates: candidate c has the rows members[offsets[c] .. offsets[c + 1]), with the weights
/// of the same places. A view: the caller owns the arrays.
struct Candidates {
    const std::int32_t* members;
    const std::int32_t* weights;  ///< null if every row stands for itself alone
    const std::int64_t* offsets;
    std::int64_t count;
};

/// Trains the judges on each candidate. A candidate is not asked about its own rows; if no other
/// rows are asked, its tallies and its loss are 0.
Verdicts judge_candidates(const LabelledRows& table, const Candidates& candidates,
                          const RowNumbers& asked, const Forest& forest, std::int64_t linear_steps,
                          unsigned threads);

}  // namespace dsir::gais::judges
