#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"

namespace dsir::sampling {

inline constexpr std::size_t kMostQuotas = 4;

/// Which group each document of a run belongs to, in each column that has a quota:
/// codes[column * size + i], below the column's number of groups.
struct Groups {
    const std::uint32_t* codes;
    std::int64_t size;
    std::uint32_t of(std::size_t column, std::int64_t i) const {
        return codes[static_cast<std::int64_t>(column) * size + i];
    }
};

/// How much may be taken of each group of one column.
struct Quota {
    std::vector<std::uint64_t> room;  ///< by group
    bool in_rows;                     ///< documents; else what they take of the budget
};

/// Finds what is selected where groups have quotas: documents by descending rank, those of closed
/// groups passed over. A group is closed once it has as many documents as it may, or by the first
/// that would take it above what it may cost; the end is the first document, of open groups and
/// with room in them, that would take the cost above the budget.
///
/// That comes to one rank for each group and one for all: a document is selected if it is eligible
/// and its rank is at least all of these.
///
/// Memory is bounded by the capacity and the number of groups. A pass collects the documents of
/// the greatest ranks that have not been looked at, up to twice the capacity, those of closed
/// groups left out, and decides on these; so there are about (selected / capacity) passes.
///
///     while (!search.done()) {
///         for (each run of documents, in any order) search.add(run, groups, threads);
///         search.end_pass();
///     }
///
/// Every pass must see the same documents. Not thread-safe; add() is parallel inside.
class QuotaSearch {
  public:
    static constexpr std::size_t kDefaultCapacity = std::size_t{1} << 20;

    /// `quotas`: 1 to kMostQuotas; `capacity`: at least 1.
    QuotaSearch(const KeySettings& settings, std::uint64_t budget, std::vector<Quota> quotas,
                std::size_t capacity = kDefaultCapacity);

    bool done() const { return done_; }
    void add(const Documents& documents, const Groups& groups, unsigned threads);
    void end_pass();

    std::size_t columns() const { return columns_.size(); }
    std::size_t groups(std::size_t column) const { return columns_[column].closing.size(); }

    // Known once done:
    std::uint64_t selected() const { return selected_; }
    std::uint64_t cost() const { return cost_; }
    /// Cost of the best document that the budget leaves out; 0 when none is.
    std::uint64_t next_cost() const { return next_cost_; }
    Rank threshold() const { return threshold_; }
    /// By group: documents of lower ranks are refused; {0, 0} where all are taken.
    const std::vector<Rank>& closing(std::size_t column) const { return columns_[column].closing; }
    /// By group: how many documents are selected.
    const std::vector<std::uint64_t>& taken(std::size_t column) const {
        return columns_[column].taken;
    }
    /// By group: what is left of the quota.
    const std::vector<std::uint64_t>& room(std::size_t column) const {
        return columns_[column].room;
    }
    unsigned passes() const { return passes_; }

  private:
    struct Candidate {
        Rank rank;
        std::uint32_t cost;
        std::uint32_t groups[kMostQuotas];
    };
    struct Column {
        std::vector<std::uint64_t> room;
        bool in_rows;
        std::vector<Rank> closing;
        std::vector<std::uint64_t> taken;
    };

    void collect(const Documents& documents, const Groups& groups, std::int64_t begin,
                 std::int64_t end, std::vector<Candidate>& into) const;
    void limit_candidates();
    bool is_open(std::size_t column, std::uint32_t group) const {
        return columns_[column].closing[group] == Rank{0, 0};
    }
    bool in_open_groups(const Candidate& candidate) const;
    bool has_room(const Candidate& candidate);
    void take(const Candidate& candidate);

    KeySettings settings_;
    std::uint64_t budget_;
    std::size_t capacity_;
    std::vector<Column> columns_;
    std::vector<Candidate> candidates_;
    bool overflowed_ = false;  ///< in this pass: there are documents below the floor
    Rank floor_{0, 0};         ///< in this pass: lower ranks are left to the next
    Rank ceiling_;             ///< ranks above it have been decided on
    bool done_ = false;
    std::uint64_t selected_ = 0;
    std::uint64_t cost_ = 0;
    std::uint64_t next_cost_ = 0;
    Rank threshold_{0, 0};
    unsigned passes_ = 0;
};

/// Closing ranks of the groups of one column.
struct Closing {
    const std::uint64_t* key;
    const std::uint64_t* not_row;
};

/// Which of some documents are in groups that are open at their rank: at least the group's closing
/// rank. `codes`: the documents' groups in the column.
void mark_open(const KeySettings& settings, const Closing& closing, const double* log_weight,
               const std::int64_t* rows, const std::uint32_t* codes, std::int64_t size,
               std::uint8_t* open);

}  // namespace dsir::sampling
