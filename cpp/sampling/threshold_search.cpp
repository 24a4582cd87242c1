#include "sampling/threshold_search.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <utility>

#include "parallel/for_ranges.hpp"
#include "sampling/key_filter.hpp"

namespace dsir::sampling {

ThresholdSearch::ThresholdSearch(const KeySettings& settings, std::uint64_t budget,
                                 std::size_t capacity)
    : settings_(settings),
      budget_(budget),
      capacity_(capacity),
      bins_(kBins),
      bar_(-std::numeric_limits<double>::infinity()) {}

void ThresholdSearch::expect(const Bracket& bracket) {
    bracket_ = bracket;
    bar_ = lowest_key(bracket.least);
}

std::uint32_t ThresholdSearch::digit(const Rank& rank, unsigned level) {
    const std::uint64_t word = level < kDigits / 2 ? rank.key : rank.not_row;
    const unsigned shift = 64 - kDigitBits * (level % (kDigits / 2) + 1);
    return static_cast<std::uint32_t>(word >> shift) & (kBins - 1);
}

/// Whether the first level_ digits of the rank are those of the threshold.
bool ThresholdSearch::in_prefix(const Rank& rank) const {
    const auto equal_top = [](std::uint64_t a, std::uint64_t b, unsigned bits) {
        return bits == 0 || ((a ^ b) >> (64 - bits)) == 0;
    };
    const unsigned bits = level_ * kDigitBits;
    return equal_top(rank.key, prefix_.key, std::min(bits, 64U)) &&
           (bits <= 64 || equal_top(rank.not_row, prefix_.not_row, bits - 64));
}

void ThresholdSearch::add(const Documents& documents, unsigned threads) {
    // In the first pass documents are taken in parts, and the bar is raised between the parts.
    const bool rises = level_ == 0 && !bracket_;
    const std::int64_t part = rises ? std::int64_t{1} << 18 : documents.size;
    for (std::int64_t begin = 0; begin < documents.size; begin += part) {
        add_run(documents.part(begin, std::min(begin + part, documents.size)), threads);
    }
}

void ThresholdSearch::add_run(const Documents& documents, unsigned threads) {
    // For fewer documents, starting a thread costs more than it gains.
    constexpr std::int64_t kWorthThreads = 1 << 16;
    const unsigned used = documents.size < kWorthThreads ? 1 : threads;
    std::vector<Partial> partials(used);
    if (used == 1) {
        // A single thread works on the shared state itself.
        partials[0].bins.swap(bins_);
        partials[0].candidates.swap(candidates_);
        add_range(documents, 0, documents.size, partials[0]);
        partials[0].bins.swap(bins_);
        partials[0].candidates.swap(candidates_);
        selected_ += partials[0].above.documents;
        cost_ += partials[0].above.cost;
        if (partials[0].overflowed) collecting_ = false;
    } else {
        const auto add_part = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
            if (partials[thread].bins.empty() && !bracket_) partials[thread].bins.resize(kBins);
            add_range(documents, begin, end, partials[thread]);
        };
        parallel::for_ranges(documents.size, used, add_part);
        for (Partial& partial : partials) merge(partial);
    }
    if (bracket_) {
        if (candidates_.size() > kKnown * capacity_) collecting_ = false;
        if (!collecting_) candidates_ = {};
        return;
    }
    if (level_ == 0) {
        since_bar_was_raised_ += documents.size;
        // Raising the bar looks at every bin, so it is not done after every small run.
        if (since_bar_was_raised_ >= static_cast<std::int64_t>(kBins)) raise_bar();
    }
    limit_candidates();
}

void ThresholdSearch::add_range(const Documents& documents, std::int64_t begin, std::int64_t end,
                                Partial& partial) const {
    if (bracket_) {
        add_expected(documents, begin, end, partial);
        return;
    }
    // One thread may see all candidates, so it drops its candidates as soon as they are too many.
    const std::size_t most = (level_ == 0 ? 2 : kKnown) * capacity_;
    bool collecting = collecting_;
    KeyFilter(settings_, bar_).for_each(documents, begin, end, [&](std::int64_t i, Rank rank) {
        if (level_ != 0 && !in_prefix(rank)) return;
        const std::uint32_t cost = documents.cost_of(i);
        if (counting_) {
            Bin& bin = partial.bins[digit(rank, level_)];
            ++bin.documents;
            bin.cost += cost;
        }
        if (!collecting) return;
        if (partial.candidates.size() < most) {
            partial.candidates.push_back({rank, cost});
        } else {
            collecting = false;
            partial.overflowed = true;
        }
    });
}

/// Counts the documents above the bracket, and keeps those inside.
void ThresholdSearch::add_expected(const Documents& documents, std::int64_t begin, std::int64_t end,
                                   Partial& partial) const {
    const std::size_t most = kKnown * capacity_;
    const Bracket bracket = *bracket_;
    if (!collecting_) return;
    KeyFilter(settings_, bar_).for_each(documents, begin, end, [&](std::int64_t i, Rank rank) {
        if (rank.key >= bracket.above) {
            ++partial.above.documents;
            partial.above.cost += documents.cost_of(i);
        } else if (rank.key >= bracket.least) {
            if (partial.candidates.size() <= most) {
                partial.candidates.push_back({rank, documents.cost_of(i)});
            } else {
                partial.overflowed = true;
            }
        }
    });
}

void ThresholdSearch::merge(Partial& partial) {
    selected_ += partial.above.documents;
    cost_ += partial.above.cost;
    if (!partial.bins.empty()) {
        for (std::size_t b = 0; b < kBins; ++b) {
            bins_[b].documents += partial.bins[b].documents;
            bins_[b].cost += partial.bins[b].cost;
        }
    }
    if (partial.overflowed) collecting_ = false;
    if (!collecting_) return;
    candidates_.insert(candidates_.end(), partial.candidates.begin(), partial.candidates.end());
}

/// In the first pass, the digit in which the budget runs out is not below the greatest digit above
/// which the documents seen so far use up the budget. From then on, documents below that digit need
/// not be counted.
void ThresholdSearch::raise_bar() {
    since_bar_was_raised_ = 0;
    std::uint64_t cost = 0;
    for (std::size_t b = kBins; b-- > 0;) {
        cost += bins_[b].cost;
        if (cost <= budget_) continue;
        bar_ = lowest_key(std::uint64_t{b} << (64 - kDigitBits));
        return;
    }
}

/// Drops the candidates below the bar, or all of them if too many are above.
void ThresholdSearch::limit_candidates() {
    if (level_ == 0 && collecting_ && candidates_.size() > capacity_) {
        raise_bar();
        const std::uint64_t least = ordered_bits(bar_);
        std::erase_if(candidates_, [&](const Candidate& one) { return one.rank.key < least; });
        collecting_ = candidates_.size() <= capacity_;
    }
    if (!collecting_) candidates_ = {};
}

void ThresholdSearch::end_pass() {
    ++passes_;
    if (bracket_) {
        if (is_as_expected()) return settle();
        // The expectation was wrong, or too many documents are inside the bracket: start over.
        bracket_.reset();
        bar_ = -std::numeric_limits<double>::infinity();
        selected_ = cost_ = 0;
        candidates_ = {};
        collecting_ = true;
    } else if (collecting_) {
        settle();
    } else {
        descend();
    }
}

/// Whether the budget runs out inside the bracket.
bool ThresholdSearch::is_as_expected() const {
    if (!collecting_ || cost_ > budget_) return false;
    std::uint64_t cost = cost_;
    for (const Candidate& candidate : candidates_) cost += candidate.cost;
    return cost > budget_;
}

/// All documents that matter are known. Sorts them, and takes them as long as the budget lasts.
void ThresholdSearch::settle() {
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) { return a.rank > b.rank; });
    done_ = true;
    for (const Candidate& candidate : candidates_) {
        if (candidate.cost > budget_ - cost_) {
            next_cost_ = candidate.cost;
            // The next greater rank. Ranks are distinct, so no document lies in between.
            threshold_ = candidate.rank;
            if (++threshold_.not_row == 0) ++threshold_.key;
            return;
        }
        cost_ += candidate.cost;
        ++selected_;
    }
    // Everything fits. In a first pass that is the result. Later passes do not come here, because
    // descend() chose a prefix in which the budget runs out.
    threshold_ = {0, 0};
}

/// Takes the bins that fit whole, and continues in the first one that does not.
void ThresholdSearch::descend() {
    for (std::size_t b = kBins; b-- > 0;) {
        if (bins_[b].cost <= budget_ - cost_) {
            cost_ += bins_[b].cost;
            selected_ += bins_[b].documents;
            continue;
        }
        std::uint64_t& word = level_ < kDigits / 2 ? prefix_.key : prefix_.not_row;
        word |= std::uint64_t{b} << (64 - kDigitBits * (level_ % (kDigits / 2) + 1));
        ++level_;
        bar_ = lowest_key(prefix_.key);
        // Candidates are kept only if they are known to fit. At the last level there is one.
        collecting_ = bins_[b].documents <= kKnown * capacity_;
        counting_ = !collecting_;
        std::fill(bins_.begin(), bins_.end(), Bin{});
        candidates_ = {};
        return;
    }
    done_ = true;
    threshold_ = {0, 0};
}

std::vector<std::int64_t> selected_positions(const KeySettings& settings, Rank threshold,
                                             const Documents& documents, unsigned threads) {
    constexpr std::int64_t kWorthThreads = 1 << 16;
    const KeyFilter filter(settings, lowest_key(threshold.key));
    std::map<std::int64_t, std::vector<std::int64_t>> parts;  // by their first document
    std::mutex mutex;
    const auto search = [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<std::int64_t> positions;
        filter.for_each(documents, begin, end, [&](std::int64_t i, Rank rank) {
            if (rank >= threshold) positions.push_back(i);
        });
        const std::lock_guard lock(mutex);
        parts.emplace(begin, std::move(positions));
    };
    parallel::for_ranges(documents.size, documents.size < kWorthThreads ? 1 : threads, search);
    if (parts.size() == 1) return std::move(parts.begin()->second);
    std::vector<std::int64_t> all;
    for (const auto& [begin, positions] : parts) {
        all.insert(all.end(), positions.begin(), positions.end());
    }
    return all;
}

}  // namespace dsir::sampling
