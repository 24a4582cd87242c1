#include "sampling/quota_search.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "parallel/for_ranges.hpp"
#include "sampling/key_filter.hpp"

namespace dsir::sampling {
namespace {

constexpr std::uint64_t kAll = std::numeric_limits<std::uint64_t>::max();

/// The next greater rank. Ranks are distinct, so no document lies in between.
Rank above(Rank rank) {
    if (++rank.not_row == 0) ++rank.key;
    return rank;
}

}  // namespace

QuotaSearch::QuotaSearch(const KeySettings& settings, std::uint64_t budget,
                         std::vector<Quota> quotas, std::size_t capacity)
    : settings_(settings), budget_(budget), capacity_(capacity), ceiling_{kAll, kAll} {
    for (Quota& quota : quotas) {
        const std::size_t groups = quota.room.size();
        std::vector<Rank> closing(groups);
        for (std::size_t group = 0; group < groups; ++group) {
            if (quota.in_rows && quota.room[group] == 0) closing[group] = {kAll, kAll};
        }
        columns_.push_back({std::move(quota.room), quota.in_rows, std::move(closing),
                            std::vector<std::uint64_t>(groups)});
    }
}

void QuotaSearch::add(const Documents& documents, const Groups& groups, unsigned threads) {
    // Documents are taken in parts, so that the number of candidates is bounded and the floor rises
    // between the parts.
    constexpr std::int64_t kPart = std::int64_t{1} << 18;
    // For fewer documents, starting a thread costs more than it gains.
    constexpr std::int64_t kWorthThreads = 1 << 16;
    for (std::int64_t first = 0; first < documents.size; first += kPart) {
        const std::int64_t size = std::min(kPart, documents.size - first);
        const unsigned used = size < kWorthThreads ? 1 : threads;
        if (used == 1) {
            collect(documents, groups, first, first + size, candidates_);
        } else {
            std::vector<std::vector<Candidate>> parts(used);
            parallel::for_ranges(
                size, used, [&](unsigned thread, std::int64_t begin, std::int64_t end) {
                    collect(documents, groups, first + begin, first + end, parts[thread]);
                });
            for (const auto& part : parts) {
                candidates_.insert(candidates_.end(), part.begin(), part.end());
            }
        }
        limit_candidates();
    }
}

void QuotaSearch::collect(const Documents& documents, const Groups& groups, std::int64_t begin,
                          std::int64_t end, std::vector<Candidate>& into) const {
    const KeyFilter filter(
        settings_, overflowed_ ? lowest_key(floor_.key) : -std::numeric_limits<double>::infinity());
    filter.for_each(documents, begin, end, [&](std::int64_t i, Rank rank) {
        if (rank < floor_ || rank >= ceiling_) return;
        Candidate candidate{rank, documents.cost_of(i), {}};
        for (std::size_t c = 0; c < columns_.size(); ++c) candidate.groups[c] = groups.of(c, i);
        if (in_open_groups(candidate)) into.push_back(candidate);
    });
}

/// Once there are twice as many candidates as the capacity, keeps those of the greatest ranks.
void QuotaSearch::limit_candidates() {
    if (candidates_.size() < 2 * capacity_) return;
    const auto last = candidates_.begin() + static_cast<std::ptrdiff_t>(capacity_) - 1;
    std::nth_element(candidates_.begin(), last, candidates_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.rank > b.rank; });
    candidates_.resize(capacity_);
    floor_ = candidates_.back().rank;
    overflowed_ = true;
}

bool QuotaSearch::in_open_groups(const Candidate& candidate) const {
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        if (!is_open(c, candidate.groups[c])) return false;
    }
    return true;
}

/// Whether all groups of a document have room for it. Closes those that have none.
bool QuotaSearch::has_room(const Candidate& candidate) {
    bool room = true;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        Column& column = columns_[c];
        const std::uint32_t group = candidate.groups[c];
        if ((column.in_rows ? 1 : candidate.cost) <= column.room[group]) continue;
        column.closing[group] = above(candidate.rank);
        room = false;
    }
    return room;
}

void QuotaSearch::take(const Candidate& candidate) {
    cost_ += candidate.cost;
    ++selected_;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        Column& column = columns_[c];
        const std::uint32_t group = candidate.groups[c];
        ++column.taken[group];
        column.room[group] -= column.in_rows ? 1 : candidate.cost;
        // The group is full. It is closed now, so that documents skipped because of it close no
        // other group.
        if (column.in_rows && column.room[group] == 0) column.closing[group] = candidate.rank;
    }
}

void QuotaSearch::end_pass() {
    ++passes_;
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) { return a.rank > b.rank; });
    for (const Candidate& candidate : candidates_) {
        if (!in_open_groups(candidate) || !has_room(candidate)) continue;
        if (candidate.cost > budget_ - cost_) {
            next_cost_ = candidate.cost;
            threshold_ = above(candidate.rank);
            done_ = true;
            break;
        }
        take(candidate);
    }
    done_ = done_ || !overflowed_;
    candidates_.clear();
    if (done_) candidates_.shrink_to_fit();
    ceiling_ = floor_;
    floor_ = {0, 0};
    overflowed_ = false;
}

void mark_open(const KeySettings& settings, const Closing& closing, const double* log_weight,
               const std::int64_t* rows, const std::uint32_t* codes, std::int64_t size,
               std::uint8_t* open) {
    for (std::int64_t i = 0; i < size; ++i) {
        const Rank rank = rank_of(settings, log_weight[i], static_cast<std::uint64_t>(rows[i]));
        const std::uint32_t group = codes[i];
        open[i] = rank >= Rank{closing.key[group], closing.not_row[group]} ? 1 : 0;
    }
}

}  // namespace dsir::sampling
