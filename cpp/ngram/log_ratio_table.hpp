#pragma once

#include <cstdint>
#include <vector>

namespace dsir::ngram {

__extension__ typedef __int128 int128;

/// log p_target - log p_raw of every bucket in fixed point: multiples of 2^-44 in 64 bits.
///
/// Sums of integers do not depend on their order, so any split of the work gives the same bits.
/// The error per n-gram is 2^-45 (3e-14). A log ratio is below 18.5 in magnitude, because 1e-8 is
/// added to probabilities below 1; a stretch of a document has at most 8 x 2112 n-grams, so its
/// sum stays below 2^63; stretches are summed in 128 bits.
class LogRatioTable {
  public:
    static constexpr int kFractionBits = 44;
    static constexpr double kLargest = 24.0;  ///< magnitude of a log ratio the sums have room for

    /// `log_ratio`: finite, below kLargest in magnitude (the caller checks).
    explicit LogRatioTable(const double* log_ratio, std::size_t buckets);

    const std::int64_t* data() const { return fixed_.data(); }
    std::size_t size() const { return fixed_.size(); }

    /// A sum of entries as a double, correctly rounded.
    static double to_double(int128 sum);

  private:
    std::vector<std::int64_t> fixed_;
};

/// log((target + smoothing) / total + 1e-8) - log(raw / total + 1e-8) for every bucket, with the
/// totals taken over all buckets and portable_log as logarithm.
/// Either side may be all zero only if the caller has ruled that out.
std::vector<double> log_ratio(const std::int64_t* target, const std::int64_t* raw,
                              std::size_t buckets, double smoothing);

}  // namespace dsir::ngram
