#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"
#include "sampling/threshold_search.hpp"

namespace dsir::sampling {

/// Guesses between which keys the budget runs out, from about half a million documents of very
/// many: one stretch of rows in every so many, by row number alone. A search that is told the guess
/// (ThresholdSearch::expect) needs one pass where it is right, and finds the same where it is not.
class ThresholdGuess {
  public:
    /// `rows`: how many there are to choose from.
    ThresholdGuess(const KeySettings& settings, std::uint64_t budget, std::uint64_t rows,
                   std::uint64_t looked_at = std::uint64_t{1} << 19);

    /// Looks at some of the run. Not thread-safe.
    void add(const Documents& documents);
    /// None where what was looked at does not tell.
    std::optional<Bracket> bracket();

  private:
    struct Seen {
        std::uint64_t key;
        std::uint32_t cost;
    };

    KeySettings settings_;
    std::uint64_t budget_;
    std::uint64_t rows_;
    std::uint64_t stride_;  ///< one stretch in so many is looked at
    std::uint64_t rows_seen_ = 0;
    std::vector<Seen> seen_;  ///< the eligible ones
};

}  // namespace dsir::sampling
