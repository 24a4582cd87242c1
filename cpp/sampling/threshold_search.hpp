#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"

namespace dsir::sampling {

/// Two keys, as ordered_bits, between which the budget is expected to run out.
struct Bracket {
    std::uint64_t least = 0;                  ///< no key below it is expected to be selected
    std::uint64_t above = ~std::uint64_t{0};  ///< every key from here on is expected to be selected
};

/// Finds the rank down to which documents are selected: by descending rank, until the next document
/// would take the cost above the budget. If every document costs 1, these are the top k.
///
/// Memory is bounded, whatever the number of documents and the budget. The search is a radix select
/// over the 128-bit ranks, 16 bits per pass. A pass counts the documents for each value of the
/// digit and continues in the value in which the budget runs out, until so few documents are left
/// that they can be kept and sorted. Each pass computes the ranks anew from the documents.
/// Documents that cannot reach the current digit are skipped (KeyFilter). During the first pass a
/// bar rises whenever documents of greater keys use up the budget.
///
///     while (!search.done()) {
///         for (each run of documents, in any order) search.add(run, threads);
///         search.end_pass();
///     }
///
/// One pass is enough for up to `capacity` documents, or if the budget is well below the capacity,
/// or if the budget runs out where expected. Otherwise there are two or three passes, and one more
/// if the expectation was wrong. Every pass must see the same documents. Not thread-safe; add()
/// runs in parallel inside.
class ThresholdSearch {
  public:
    static constexpr std::size_t kDefaultCapacity = std::size_t{1} << 18;

    /// `capacity` is how many documents are kept in the first pass, at least 1. Later passes keep
    /// up to kKnown times as many.
    ThresholdSearch(const KeySettings& settings, std::uint64_t budget,
                    std::size_t capacity = kDefaultCapacity);

    /// Tells the search, before the first pass, where the budget may run out. The bracket changes
    /// how long the search takes, but never what it finds.
    void expect(const Bracket& bracket);
    bool done() const { return done_; }
    void add(const Documents& documents, unsigned threads);
    void end_pass();

    // Known once done() is true:
    std::uint64_t selected() const { return selected_; }  ///< number of documents
    std::uint64_t cost() const { return cost_; }          ///< their cost
    /// The cost of the best document that is left out, or 0 if none is.
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
        Bin above;  ///< documents above the bracket
        bool overflowed =
            false;  ///< there were more than capacity_ candidates, and some were dropped
    };
    static constexpr unsigned kDigitBits = 16;
    static constexpr std::size_t kBins = std::size_t{1} << kDigitBits;
    static constexpr unsigned kDigits = 128 / kDigitBits;
    /// When their number is known beforehand, so many times the capacity are kept, which saves a
    /// pass.
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
    bool counting_ = true;    ///< this pass counts bins
    bool collecting_ = true;  ///< this pass keeps candidates
    unsigned level_ = 0;      ///< number of digits of the threshold that are known
    Rank prefix_{0, 0};       ///< those digits
    std::vector<Bin> bins_;
    std::vector<Candidate> candidates_;
    std::uint64_t selected_ = 0;
    std::uint64_t cost_ = 0;
    std::uint64_t next_cost_ = 0;
    Rank threshold_{0, 0};
    unsigned passes_ = 0;
    std::optional<Bracket> bracket_;         ///< set in a pass over the expected bracket
    double bar_;                             ///< keys below do not matter any more
    std::int64_t since_bar_was_raised_ = 0;  ///< documents
};

/// The positions within the run of the selected documents, ascending.
std::vector<std::int64_t> selected_positions(const KeySettings& settings, Rank threshold,
                                             const Documents& documents, unsigned threads = 1);

}  // namespace dsir::sampling
