#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"

namespace dsir::sampling {

/// Keys between which the budget is expected to run out, as ordered_bits.
struct Bracket {
    std::uint64_t least = 0;                  ///< no key below it is expected to be selected
    std::uint64_t above = ~std::uint64_t{0};  ///< every key from here on is expected to be
};

/// Finds the rank down to which documents are selected: by descending rank until the next one would
/// take the cost above the budget. With cost 1 that is the top k.
///
/// Memory is bounded whatever the number of documents and the budget: the search is a radix select
/// over the 128-bit ranks, 16 bits a pass. A pass counts the documents per value of the digit and
/// goes down into the one where the budget runs out, until so few are left that they can be kept
/// and sorted. Ranks are computed again in every pass; they are functions of the documents. Those
/// that cannot reach down into the digit are passed over (KeyFilter); in the first pass a bar rises
/// as documents of greater keys come to more than the budget.
///
///     while (!search.done()) {
///         for (each run of documents, in any order) search.add(run, threads);
///         search.end_pass();
///     }
///
/// Passes: one up to `capacity` documents, where the budget is well below it, or where it runs out
/// as expected; two or three beyond, and one more where what was expected is wrong. Every pass must
/// see the same documents. Not thread-safe; add() is parallel inside.
class ThresholdSearch {
  public:
    static constexpr std::size_t kDefaultCapacity = std::size_t{1} << 18;

    /// `capacity`: documents kept in the first pass, at least 1; in later ones up to kKnown times.
    ThresholdSearch(const KeySettings& settings, std::uint64_t budget,
                    std::size_t capacity = kDefaultCapacity);

    /// Tells before the first pass where the budget may run out. It changes how long it takes, and
    /// never what is found.
    void expect(const Bracket& bracket);
    bool done() const { return done_; }
    void add(const Documents& documents, unsigned threads);
    void end_pass();

    // Known once done:
    std::uint64_t selected() const { return selected_; }  ///< number of documents
    std::uint64_t cost() const { return cost_; }          ///< their cost
    /// Cost of the best document left out; 0 when none is.
    std::uint64_t next_cost() const { return next_cost_; }
    /// A document is selected if it is eligible and its rank is at least this.
    Rank threshold() const { return threshold_; }
    unsigned passes() const { return passes_; }

  private:
    struct Candidate {
        Rank rank;
        std::uint32_t cost;
    };
    struct Bin {
        std::uint64_t documents = 0;
        std::uint64_t cost = 0;
    };
    struct Partial {
        std::vector<Bin> bins;
        std::vector<Candidate> candidates;
        Bin above;                ///< documents above the bracket
        bool overflowed = false;  ///< candidates were more than capacity_, and are not all there
    };
    static constexpr unsigned kDigitBits = 16;
    static constexpr std::size_t kBins = std::size_t{1} << kDigitBits;
    static constexpr unsigned kDigits = 128 / kDigitBits;
    /// Once it is known how many there are, so many times the capacity are kept: it saves a pass.
    static constexpr std::size_t kKnown = 4;

    static std::uint32_t digit(const Rank& rank, unsigned level);
    bool in_prefix(const Rank& rank) const;
    void add_run(const Documents& documents, unsigned threads);
    void add_range(const Documents& documents, std::int64_t begin, std::int64_t end,
                   Partial& partial) const;
    void add_expected(const Documents& documents, std::int64_t begin, std::int64_t end,
                      Partial& partial) const;
    void merge(Partial& partial);
    void raise_bar();
    void limit_candidates();
    bool is_as_expected() const;
    void settle();
    void descend();

    KeySettings settings_;
    std::uint64_t budget_;
    std::size_t capacity_;
    bool done_ = false;
    bool counting_ = true;    ///< bins are being counted in this pass
    bool collecting_ = true;  ///< candidates are being kept in this pass
    unsigned level_ = 0;      ///< digits of the threshold found so far
    Rank prefix_{0, 0};       ///< these digits
    std::vector<Bin> bins_;
    std::vector<Candidate> candidates_;
    std::uint64_t selected_ = 0;
    std::uint64_t cost_ = 0;
    std::uint64_t next_cost_ = 0;
    Rank threshold_{0, 0};
    unsigned passes_ = 0;
    std::optional<Bracket> bracket_;         ///< in a pass over what is expected
    double bar_;                             ///< keys below it no longer matter
    std::int64_t since_bar_was_raised_ = 0;  ///< documents
};

/// Positions within the run of the selected documents, ascending.
std::vector<std::int64_t> selected_positions(const KeySettings& settings, Rank threshold,
                                             const Documents& documents, unsigned threads = 1);

}  // namespace dsir::sampling
