#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"

namespace dsir::sampling {

/// Tells, while documents pass by once, which of them may still be selected in the end.
///
/// A document is out as soon as documents of greater keys that use up the budget have been seen, so
/// the bar only rises. Of N documents in random order about k (1 + ln(N / k)) pass the bar, where k
/// is the budget. Only the upper 20 bits of keys are compared, so a few more documents pass than
/// need to.
///
/// Which documents pass depends on the order in which they come, and so on the number of threads.
/// It does not depend on the order that every document that is selected in the end has passed.
/// Thread-safe.
class RisingBar {
  public:
    RisingBar(const KeySettings& settings, std::uint64_t budget);

    /// Returns the positions within the run of the documents that may still be selected, ascending.
    std::vector<std::int64_t> add(const Documents& documents);

    /// The same for documents whose row numbers are not known yet; `first_row` is not used. Each
    /// document counts with the least possible noise, and passes if the greatest possible noise
    /// would take it over the bar. These two are far apart, but when log-weights are sums over
    /// n-grams only a few more documents pass.
    std::vector<std::int64_t> add_unnumbered(const Documents& documents);

    /// What a bar has seen: the cost of the documents in consecutive bins. None is known of those
    /// in lower bins.
    struct Seen {
        std::size_t first_bin = 0;
        std::vector<std::uint64_t> costs;
    };

    /// Returns the cost of the documents added here, by bin from the bar up.
    Seen seen() const;

    /// Raises the bar by documents that other bars, in other processes, have seen.
    ///
    /// Throws std::invalid_argument when there are no such bins.
    void add_seen(const Seen& more);

  private:
    struct Placed {
        std::int64_t position;
        std::size_t bin;       ///< not above the bin of the document's key
        std::size_t greatest;  ///< not below the bin of the document's key
    };

    static std::size_t bin_of(std::uint64_t key);

    /// Takes the bar up to the lowest bin that may still be needed; the mutex is held.
    void rise();

    /// Raises the bar by the documents, and returns those that are not below it.
    std::vector<std::int64_t> raise(const Documents& documents, const std::vector<Placed>& placed);

    static constexpr unsigned kBinBits = 20;  ///< sign, exponent and 8 bits of the key
    static constexpr std::size_t kBins = std::size_t{1} << kBinBits;

    KeySettings settings_;
    std::uint64_t budget_;
    mutable std::mutex mutex_;
    std::vector<std::uint64_t> costs_;   ///< cost of the documents in each bin above the bar
    std::vector<std::uint64_t> others_;  ///< of these, what `add_seen` has added; empty if nothing
    std::atomic<std::size_t> bar_ =
        0;                     ///< written under the mutex; documents below this bin are out
    std::uint64_t above_ = 0;  ///< cost of the documents in this bin and above
};

}  // namespace dsir::sampling
