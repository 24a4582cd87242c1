#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "numeric/portable_log.hpp"

/// Logistic regression over the hashed n-grams of documents.
namespace dsir::classifier {

/// A bucket that a document has and how often, in one number: bucket * 2^8 + count. More than
/// kMostCount times count as kMostCount times. Buckets are below 2^24.
using Term = std::uint32_t;
inline constexpr unsigned kCountBits = 8;
inline constexpr std::uint32_t kMostCount = (1U << kCountBits) - 1;

inline std::uint32_t bucket_of(Term term) {
    return term >> kCountBits;
}
inline std::uint32_t count_of(Term term) {
    return term & kMostCount;
}

/// The weight of an n-gram that a document has `count` times: 1 + log(count), in multiples of
/// 2^-12. Sublinear term frequency: Manning, Raghavan & Schuetze 2008, section 6.4.1.
class TermWeights {
  public:
    TermWeights() {
        for (std::uint32_t count = 1; count <= kMostCount; ++count) {
            const double weight = 1 + numeric::portable_log(static_cast<double>(count));
            weights_[count] = static_cast<std::int32_t>(std::llrint(std::ldexp(weight, 12)));
        }
    }
    std::int32_t operator[](std::uint32_t count) const { return weights_[count]; }

  private:
    std::array<std::int32_t, kMostCount + 1> weights_{};
};

/// Counts the n-grams of one document after the other. Use one per thread.
class DocumentTerms {
  public:
    explicit DocumentTerms(std::size_t buckets) : counts_(buckets) {}

    void add(std::span<const std::uint32_t> buckets) { count<false>(buckets, nullptr, 0); }

    /// The same, for a caller that needs weights[buckets][columns] when the document is at its end:
    /// asks for the weights of each bucket, which come to the second-level cache while further
    /// buckets are counted, and for counts some places ahead, which the weights drive out of it.
    void add(std::span<const std::uint32_t> buckets, const std::int32_t* weights,
             std::size_t columns) {
        count<true>(buckets, weights, columns);
    }

    /// Calls use(bucket, count) for every bucket that was added, in the order of their first times,
    /// and forgets the document.
    template <class Use>
    void finish(Use&& use) {
        std::uint8_t* const counts = counts_.data();
        const std::uint32_t* const seen = seen_.data();
        const std::size_t size = size_;
        for (std::size_t i = 0; i < size; ++i) {
            const std::uint32_t bucket = seen[i];
            use(bucket, std::uint32_t{counts[bucket]});
            counts[bucket] = 0;
        }
        size_ = 0;
    }

    void forget() {
        finish([](std::uint32_t, std::uint32_t) {});
    }

  private:
    // The loop has no function for what is asked for: GCC takes one that only prefetches for one
    // without effect, and leaves out its calls.
    template <bool kAsk>
    void count(std::span<const std::uint32_t> buckets, const std::int32_t* weights,
               std::size_t columns) {
        if (seen_.size() < size_ + buckets.size()) seen_.resize(2 * (size_ + buckets.size()));
        // Locals, because a store of a byte may change any member as far as the compiler knows.
        std::uint8_t* const counts = counts_.data();
        std::uint32_t* const seen = seen_.data();
        std::size_t size = size_;
        for (std::size_t i = 0; i < buckets.size(); ++i) {
            const std::uint32_t bucket = buckets[i];
            if constexpr (kAsk) {
                constexpr std::size_t kAhead = 16;
                constexpr int kReading = 0, kWriting = 1, kSecondLevel = 2;
                const std::size_t ahead = i + kAhead < buckets.size() ? i + kAhead : i;
                __builtin_prefetch(counts + buckets[ahead], kWriting);
                __builtin_prefetch(weights + bucket * columns, kReading, kSecondLevel);
            }
            // Without a branch, because nothing tells whether a bucket is new.
            const std::uint32_t count = counts[bucket];
            seen[size] = bucket;
            size += (count - 1) >> 31U;  // 1 if the count is 0
            const std::uint32_t more = count + 1;
            counts[bucket] = static_cast<std::uint8_t>(more - (more >> kCountBits));
        }
        size_ = size;
    }

    std::vector<std::uint8_t> counts_;
    std::vector<std::uint32_t> seen_;  ///< the first size_ are the document's
    std::size_t size_ = 0;
};

}  // namespace dsir::classifier
