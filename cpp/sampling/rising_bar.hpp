#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"

namespace dsir::sampling {

/// Says of documents, while they go by, which may still be selected in the end.
///
/// A document is out once documents of greater keys, enough to spend the budget, have been seen:
/// the bar only rises. Of N documents in random order and a budget of k, about k (1 + ln(N / k))
/// are let through. The answer is on the safe side: keys are told apart by their upper 20 bits.
///
/// What is let through depends on the order in which documents come, and so on threads; that no
/// document that is selected is missing does not. Thread-safe.
class RisingBar {
  public:
    RisingBar(const KeySettings& settings, std::uint64_t budget);

    /// Positions within the run of the documents that may still be selected, ascending.
    std::vector<std::int64_t> add(const Documents& documents);

  private:
    static constexpr unsigned kBinBits = 20;  ///< sign, exponent and 8 bits of the key
    static constexpr std::size_t kBins = std::size_t{1} << kBinBits;

    KeySettings settings_;
    std::uint64_t budget_;
    std::mutex mutex_;
    std::vector<std::uint64_t> costs_;  ///< of the documents of each bin above the bar
    std::atomic<std::size_t> bar_ =
        0;                     ///< written under the mutex; documents below this bin are out
    std::uint64_t above_ = 0;  ///< cost of those in it and above
};

}  // namespace dsir::sampling
