#include "sampling/threshold_search.hpp"

#include <algorithm>
#include <limits>

#include "parallel/for_ranges.hpp"

namespace dsir::sampling {

ThresholdSearch::ThresholdSearch(const KeySettings& settings, std::uint64_t budget,
                                 std::size_t capacity)
    : settings_(settings), budget_(budget), capacity_(capacity), bins_(kBins) {}

std::uint32_t ThresholdSearch::digit(const Rank& rank, unsigned level) {
    const std::uint64_t word = level < kDigits / 2 ? rank.key : rank.not_row;
    const unsigned shift = 64 - kDigitBits * (level % (kDigits / 2) + 1);
    return static_cast<std::uint32_t>(word >> shift) & (kBins - 1);
}

/// Whether the first level_ digits are those of the threshold.
bool ThresholdSearch::in_prefix(const Rank& rank) const {
    const auto equal_top = [](std::uint64_t a, std::uint64_t b, unsigned bits) {
        return bits == 0 || ((a ^ b) >> (64 - bits)) == 0;
    };
    const unsigned bits = level_ * kDigitBits;
    return equal_top(rank.key, prefix_.key, std::min(bits, 64U)) &&
           (bits <= 64 || equal_top(rank.not_row, prefix_.not_row, bits - 64));
}

void ThresholdSearch::add(const Documents& documents, unsigned threads) {
    // Below this a thread costs more than it brings.
    constexpr std::int64_t kWorthThreads = 1 << 16;
    const unsigned used = documents.size < kWorthThreads ? 1 : threads;
    std::vector<Partial> partials(used);
    if (used == 1) {
        // One thread works on the shared state itself.
        partials[0].bins.swap(bins_);
        partials[0].candidates.swap(candidates_);
        add_range(documents, 0, documents.size, partials[0]);
        partials[0].bins.swap(bins_);
        partials[0].candidates.swap(candidates_);
        if (candidates_.size() > capacity_) {
            collecting_ = false;
            candidates_ = {};
        }
        return;
    }
    const auto add_part = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        if (partials[thread].bins.empty()) partials[thread].bins.resize(kBins);
        add_range(documents, begin, end, partials[thread]);
    };
    parallel::for_ranges(documents.size, used, add_part);
    for (Partial& partial : partials) merge(partial);
}

void ThresholdSearch::add_range(const Documents& documents, std::int64_t begin, std::int64_t end,
                                Partial& partial) const {
    bool collecting = collecting_;
    for (std::int64_t i = begin; i < end; ++i) {
        if (documents.eligible[i] == 0) continue;
        const Rank rank = rank_of(settings_, documents.log_weight[i],
                                  documents.first_row + static_cast<std::uint64_t>(i));
        if (level_ != 0 && !in_prefix(rank)) continue;
        const std::uint32_t cost = documents.cost == nullptr ? 1 : documents.cost[i];
        if (counting_) {
            Bin& bin = partial.bins[digit(rank, level_)];
            ++bin.documents;
            bin.cost += cost;
        }
        if (collecting) {
            partial.candidates.push_back({rank, cost});
            // One too many tells whoever merges that they did not fit.
            collecting = partial.candidates.size() <= capacity_;
        }
    }
}

void ThresholdSearch::merge(Partial& partial) {
    if (!partial.bins.empty()) {
        for (std::size_t b = 0; b < kBins; ++b) {
            bins_[b].documents += partial.bins[b].documents;
            bins_[b].cost += partial.bins[b].cost;
        }
    }
    if (!collecting_) return;
    if (candidates_.size() + partial.candidates.size() > capacity_) {
        collecting_ = false;
        candidates_ = {};
        return;
    }
    candidates_.insert(candidates_.end(), partial.candidates.begin(), partial.candidates.end());
}

void ThresholdSearch::end_pass() {
    ++passes_;
    if (collecting_) {
        settle();
    } else {
        descend();
    }
}

/// All documents that matter are at hand: sorts them and takes while the budget lasts.
void ThresholdSearch::settle() {
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) { return a.rank > b.rank; });
    done_ = true;
    for (const Candidate& candidate : candidates_) {
        if (candidate.cost > budget_ - cost_) {
            next_cost_ = candidate.cost;
            // Just above this one: ranks are distinct, so nothing lies between.
            threshold_ = candidate.rank;
            if (++threshold_.not_row == 0) ++threshold_.key;
            return;
        }
        cost_ += candidate.cost;
        ++selected_;
    }
    // Everything fits. In a first pass that is all there is; later, descend() has seen to it that
    // the budget runs out within the prefix, so this is not reached.
    threshold_ = {0, 0};
}

/// Takes the bins that fit whole and goes down into the first that does not.
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
        // Keeping candidates is tried only where they are known to fit; the last level has one.
        collecting_ = bins_[b].documents <= capacity_;
        counting_ = !collecting_;
        std::fill(bins_.begin(), bins_.end(), Bin{});
        candidates_ = {};
        return;
    }
    done_ = true;
    threshold_ = {0, 0};
}

std::vector<std::int64_t> selected_positions(const KeySettings& settings, Rank threshold,
                                             const Documents& documents) {
    std::vector<std::int64_t> positions;
    for (std::int64_t i = 0; i < documents.size; ++i) {
        if (documents.eligible[i] == 0) continue;
        const std::uint64_t row = documents.first_row + static_cast<std::uint64_t>(i);
        if (rank_of(settings, documents.log_weight[i], row) >= threshold) positions.push_back(i);
    }
    return positions;
}

}  // namespace dsir::sampling
