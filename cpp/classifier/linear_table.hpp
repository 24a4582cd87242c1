#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arrow/text_column.hpp"
#include "classifier/term_lists.hpp"
#include "ngram/feature_spec.hpp"
#include "ngram/kernels.hpp"
#include "ngram/score_together.hpp"
#include "ngram/weighing.hpp"

namespace dsir::classifier {

/// The line that turns scores into log-odds.
struct Line {
    double slope = 0;
    double intercept = 0;
};

/// Weights of hashed n-grams, in one or several columns.
///
/// The score of a document in a column is sum_b t_b w_b / sqrt(sum_b t_b^2) over its buckets, where
/// t_b is the TermWeights of the times that the document has the bucket, and w_b is in multiples of
/// 2^-24. Both sums are exact, so a score does not depend on the order of n-grams.
class LinearTable {
  public:
    static constexpr int kFractionBits = 24;
    static constexpr float kLargest = 100.0F;  ///< the largest magnitude of a weight

    /// `weights` is [columns][buckets], finite and at most kLargest in magnitude. It is copied.
    LinearTable(const float* weights, std::size_t columns, std::size_t buckets);

    std::size_t columns() const { return columns_; }
    std::size_t buckets() const { return entries_.size() / columns_; }
    /// The weights of a bucket, one per column.
    const std::int32_t* of(std::uint32_t bucket) const { return &entries_[bucket * columns_]; }
    /// The same, if there is one column.
    const std::int32_t* of_one(std::uint32_t bucket) const { return &entries_[bucket]; }

  private:
    std::size_t columns_;
    std::vector<std::int32_t> entries_;  ///< [buckets][columns]
};

/// Computes the log-weights of the rows: each column's score on its line, one line per column, and
/// then the weighing, which has as many targets as the table has columns. Null rows and rows
/// without a token weigh 0. The result does not depend on `threads`. `watches` see the tokens of
/// the rows as well, unless it is null.
void score(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
           const LinearTable& table, const std::vector<Line>& lines,
           const ngram::Weighing& weighing, unsigned threads, const ngram::ScoreOutput& out,
           const ngram::TokenWatches* watches = nullptr);

/// The part of score_together that does as score(). `table`, `lines` and `weighing` must outlive
/// it.
ngram::ScorePart part_of(const ngram::FeatureSpec& spec, const LinearTable& table,
                         const std::vector<Line>& lines, const ngram::Weighing& weighing);

/// Sets scores[documents] to the scores of lists in the first column; 0 for empty lists.
void score_lists(const TermListsView& lists, const LinearTable& table, unsigned threads,
                 double* scores);

}  // namespace dsir::classifier
