#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arrow/text_column.hpp"
#include "ngram/feature_spec.hpp"

namespace dsir::coverage {

/// The largest entry of a table of relevance; the sums of the core have room for it.
inline constexpr double kLargestRelevance = 23.0;

/// The share of every bucket in raw, with half an n-gram in empty buckets:
/// max(raw, 1/2) / (sum of raw). `raw` must not be all zero.
std::vector<double> raw_shares(const std::int64_t* raw, std::size_t buckets);

/// log((p_target / p_raw + prior) / (1 + prior)) of every bucket, where p_target is the bucket's
/// share of the target and p_raw is as in raw_shares. Neither side may be all zero. `prior` is
/// above 0: a bucket that the target lacks costs log((1 + prior) / prior) and no more.
std::vector<double> relevance(const std::int64_t* target, const std::int64_t* raw,
                              std::size_t buckets, double prior);

/// The relevance of documents of the target, each to the target without this document.
class LeftOneOut {
  public:
    /// As for relevance(). The arrays are copied.
    LeftOneOut(const std::int64_t* target, const std::int64_t* raw, std::size_t buckets,
               double prior);

    std::size_t buckets() const { return target_.size(); }

    /// Fills relevance[rows] with the mean over each document's n-grams, and tokens[rows] with its
    /// number of tokens. Both are 0 for rows that are null, empty or not text. The result does not
    /// depend on `threads`. The documents must be among those that `target` was counted in.
    void score(const arrow::TextColumn& column, const ngram::FeatureSpec& spec, unsigned threads,
               double* relevance, std::uint32_t* tokens) const;

  private:
    std::vector<std::int64_t> target_;
    std::vector<double> raw_shares_;
    double total_ = 0;  ///< n-grams of the target
    double prior_;
};

}  // namespace dsir::coverage
