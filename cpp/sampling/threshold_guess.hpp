#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"
#include "sampling/threshold_search.hpp"

namespace dsir::sampling {

/// Guesses between which keys the budget runs out, from a sample of about half a million documents.
/// The sample consists of short stretches of rows at equal distances, chosen by row number alone. A
/// ThresholdSearch that is told the guess (expect) needs one pass if the guess is right, and finds
/// the same threshold if it is wrong.
class ThresholdGuess {
  public:
    /// `rows` is the number of documents to choose from, `looked_at` about how many of them the
    /// sample has.
    ThresholdGuess(const KeySettings& settings, std::uint64_t budget, std::uint64_t rows,
                   std::uint64_t looked_at = std::uint64_t{1} << 19);

    /// Takes from the run what belongs to the sample. Not thread-safe.
    void add(const Documents& documents);
    /// The guess, or nothing if the sample does not tell.
    std::optional<Bracket> bracket();

  private:
    struct Seen {
        std::uint64_t key;
        std::uint32_t cost;
    };

    KeySettings settings_;
    std::uint64_t budget_;
    std::uint64_t rows_;
    std::uint64_t stride_;  ///< one stretch out of so many is in the sample
    std::uint64_t rows_seen_ = 0;
    std::vector<Seen> seen_;  ///< the eligible documents of the sample
};

}  // namespace dsir::sampling
