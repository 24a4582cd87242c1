#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ngram/entry_codes.hpp"

namespace dsir::ngram {

__extension__ typedef __int128 int128;

/// log p_target - log p_raw of every bucket and target, in fixed point: multiples of 2^-44 in 64
/// bits.
///
/// A sum of integers does not depend on the order, so work can be split in any way and gives the
/// same bits. The error per n-gram is 2^-45 (3e-14). A log ratio is below 18.5 in magnitude,
/// because 1e-8 is added to probabilities below 1. A stretch of a document has at most 8 x 2112
/// n-grams, so its sum stays below 2^63; stretches are summed in 128 bits.
///
/// The targets of a bucket lie side by side, so one n-gram reads one place in memory and not one
/// per target. Targets are in groups of at most kGroup, which is as wide as a cache line. The last
/// group is padded with zeros to a power of two.
class LogRatioTable {
  public:
    static constexpr int kFractionBits = 44;
    static constexpr double kLargest =
        24.0;  ///< the largest magnitude of a log ratio that the sums have room for
    static constexpr std::size_t kGroup = 8;

    /// Targets whose entries for a bucket lie side by side.
    struct Group {
        std::size_t first;         ///< number of the first target
        std::size_t width;         ///< 1, 2, 4 or 8; entries beyond the last target are zero
        const std::int64_t* data;  ///< [buckets][width]
    };

    /// `log_ratio` is [targets][buckets]. The caller has checked that it is finite and below
    /// kLargest in magnitude. It is copied.
    LogRatioTable(const double* log_ratio, std::size_t targets, std::size_t buckets);

    std::size_t targets() const { return targets_; }
    std::size_t buckets() const { return buckets_; }
    const std::vector<Group>& groups() const { return groups_; }

    /// Makes scoring with a large table of one target faster, if the table has few different
    /// entries. This takes some milliseconds, and the entries must not change afterwards.
    void find_codes() {
        if (targets_ == 1) codes_ = EntryCodes({groups_[0].data, buckets_});
    }
    /// The codes of the only target's entries; empty if there are none.
    const EntryCodes& codes() const { return codes_; }

    /// Changes the entry of a bucket; for tables of one target. The conditions are those above.
    void set(std::size_t bucket, double log_ratio) { memory_[0][bucket] = to_fixed(log_ratio); }

    /// Converts a sum of entries to the nearest double.
    static double to_double(int128 sum);

    /// Converts a double below kLargest in magnitude to the nearest entry, ties to even, as llrint
    /// does, but without a call, so that loops become vectors: beside 1.5 x 2^52 a double has room
    /// for whole numbers of 51 bits.
    static std::int64_t to_fixed(double log_ratio) {
        constexpr double kUnits = std::int64_t{1} << kFractionBits;
        constexpr double kWhole = 0x1.8p52;
        return std::bit_cast<std::int64_t>(log_ratio * kUnits + kWhole) -
               std::bit_cast<std::int64_t>(kWhole);
    }

  private:
    struct Deleter {
        void operator()(std::int64_t* at) const;
    };

    std::size_t targets_;
    std::size_t buckets_;
    std::vector<std::unique_ptr<std::int64_t[], Deleter>> memory_;  ///< one block per group
    std::vector<Group> groups_;
    EntryCodes codes_;
};

/// log((target + smoothing) / total + 1e-8) - log(raw / total + 1e-8) for every bucket. Each total
/// is the sum of its side over all buckets (smoothing included), and the logarithm is portable_log.
/// The caller must make sure that neither side is all zero.
std::vector<double> log_ratio(const std::int64_t* target, const std::int64_t* raw,
                              std::size_t buckets, double smoothing);

}  // namespace dsir::ngram
