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

    /// The same of documents whose rows are not known yet: `first_row` is not looked at. Each
    /// counts with the least noise there is, and is let through where the greatest would take it
    /// over the bar; far apart as these are, it is little more where log-weights are sums over
    /// n-grams.
    std::vector<std::int64_t> add_unnumbered(const Documents& documents);

  private:
    struct Placed {
        std::int64_t position;
        std::size_t bin;       ///< at most that of its key
        std::size_t greatest;  ///< at least that of its key
    };

    static std::size_t bin_of(std::uint64_t key);

    /// Raises the bar by documents, and says which of them are not below it.
    std::vector<std::int64_t> raise(const Documents& documents, const std::vector<Placed>& placed);

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
