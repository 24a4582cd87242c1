#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"

namespace dsir::sampling {

inline constexpr std::size_t kMostQuotas = 4;

/// The group that each document of a run belongs to, for each column with a quota: codes[column *
/// size + i], which is below the column's number of groups. A view: the caller owns the array.
struct Groups {
    const std::uint32_t* codes;
    std::int64_t size;
    std::uint32_t of(std::size_t column, std::int64_t i) const {
        return codes[static_cast<std::int64_t>(column) * size + i];
    }
};

/// How much may be taken from each group of one column.
struct Quota {
    std::vector<std::uint64_t> room;  ///< by group
    bool in_rows;                     ///< `room` counts documents; otherwise it counts their cost
};

/// Finds the documents to select when groups have quotas. Documents are taken by descending rank,
/// and those of closed groups are skipped. A group closes when it has as many documents as it may
/// have, or at the first document that would take the group above the cost it may have. The
/// selection ends at the first document of open groups, with room in them, that would take the cost
/// above the budget.
///
/// The result is one rank per group and one rank overall: a document is selected if it is eligible
/// and its rank is at least all of these ranks.
///
/// The capacity and the number of groups bound the memory. Each pass collects the documents of the
/// greatest ranks that were not yet decided on, without those of closed groups, up to twice the
/// capacity, and then decides on these. So there are about (selected / capacity) passes.
///
///     while (!search.done()) {
///         for (each run of documents, in any order) search.add(run, groups, threads);
///         search.end_pass();
///     }
///
/// Every pass must see the same documents. Not thread-safe; add() runs in parallel inside.
class QuotaSearch {
  public:
    static constexpr std::size_t kDefaultCapacity = std::size_t{1} << 20;

    /// There may be 1 to kMostQuotas quotas. `capacity` is at least 1.
    QuotaSearch(const KeySettings& settings, std::uint64_t budget, std::vector<Quota> quotas,
                std::size_t capacity = kDefaultCapacity);

    bool done() const { return done_; }
    void add(const Documents& documents, const Groups& groups, unsigned threads);
    void end_pass();

    std::size_t columns() const { return columns_.size(); }
    std::size_t groups(std::size_t column) const { return columns_[column].closing.size(); }

    // Known once done() is true:
    std::uint64_t selected() const { return selected_; }
    std::uint64_t cost() const { return cost_; }
    /// The cost of the best document that the budget leaves out, or 0 if it leaves out none.
    std::uint64_t next_cost() const { return next_cost_; }
    Rank threshold() const { return threshold_; }
    /// By group: documents of lower ranks are refused. {0, 0} if none is.
    const std::vector<Rank>& closing(std::size_t column) const { return columns_[column].closing; }
    /// By group: the number of selected documents.
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
    bool overflowed_ = false;  ///< in this pass: some documents were below the floor
    Rank floor_{0, 0};         ///< in this pass: lower ranks are left to the next pass
    Rank ceiling_;             ///< greater ranks have been decided on
    bool done_ = false;
    std::uint64_t selected_ = 0;
    std::uint64_t cost_ = 0;
    std::uint64_t next_cost_ = 0;
    Rank threshold_{0, 0};
    unsigned passes_ = 0;
};

/// The closing ranks of the groups of one column. A view: the caller owns the arrays.
struct Closing {
    const std::uint64_t* key;
    const std::uint64_t* not_row;
};

/// Finds which of some documents have a rank at which their group is open, that is, at least the
/// group's closing rank. `codes` are the documents' groups in the column.
void mark_open(const KeySettings& settings, const Closing& closing, const double* log_weight,
               const std::int64_t* rows, const std::uint32_t* codes, std::int64_t size,
               std::uint8_t* open);

}  // namespace dsir::sampling
