#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dsir::ngram {

/// The entries of a large table by the number of their value, so that a bucket takes two bytes in
/// place of eight.
///
/// Counts are small numbers, so that a table of 2^20 buckets has some thousand different entries:
/// 2,588 for the relevance to 1,500 news articles. The codes then lie in nearer caches than the
/// entries would, and the values that many n-grams have, in the nearest.
class EntryCodes {
  public:
    /// No codes.
    EntryCodes() = default;
    /// No codes either if the table is small, or has more than kMostValues different entries.
    explicit EntryCodes(std::span<const std::int64_t> entries);

    static constexpr std::size_t kSmall = std::size_t{1} << 20;  ///< bytes of entries
    static constexpr std::size_t kMostValues = std::size_t{1} << 14;

    bool empty() const { return codes_.empty(); }
    /// values()[codes()[b]] is the entry of bucket b.
    const std::uint16_t* codes() const { return codes_.data(); }
    const std::int64_t* values() const { return values_.data(); }

  private:
    std::vector<std::uint16_t> codes_;
    std::vector<std::int64_t> values_;
};

}  // namespace dsir::ngram
