#include "sampling/rising_bar.hpp"

#include <algorithm>
#include <stdexcept>

#include "sampling/key_filter.hpp"

namespace dsir::sampling {

std::size_t RisingBar::bin_of(std::uint64_t key) {
    return key >> (64 - kBinBits);
}

RisingBar::RisingBar(const KeySettings& settings, std::uint64_t budget)
    : settings_(settings), budget_(budget), costs_(kBins) {}

std::vector<std::int64_t> RisingBar::add(const Documents& documents) {
    // The bar only rises, so documents below its present value need not be looked at.
    const double bar = lowest_key(std::uint64_t{bar_.load()} << (64 - kBinBits));
    std::vector<Placed> placed;
    KeyFilter(settings_, bar)
        .for_each(documents, 0, documents.size, [&](std::int64_t i, Rank rank) {
            const std::size_t bin = bin_of(rank.key);
            placed.push_back({i, bin, bin});
        });
    return raise(documents, placed);
}

std::vector<std::int64_t> RisingBar::add_unnumbered(const Documents& documents) {
    const std::size_t bar = bar_.load();
    std::vector<Placed> placed;
    for (std::int64_t i = 0; i < documents.size; ++i) {
        if (!documents.is_eligible(i)) continue;
        // Rounding is monotone, so the key lies between these two.
        const double scaled = documents.log_weight[i] / settings_.temperature;
        const double most = settings_.noise ? scaled + kGreatestNoise : scaled;
        const double least = settings_.noise ? scaled + kLeastNoise : scaled;
        const std::size_t greatest = bin_of(ordered_bits(most));
        if (greatest >= bar) placed.push_back({i, bin_of(ordered_bits(least)), greatest});
    }
    return raise(documents, placed);
}

std::vector<std::int64_t> RisingBar::raise(const Documents& documents,
                                           const std::vector<Placed>& placed) {
    std::vector<std::int64_t> positions;
    const std::lock_guard lock(mutex_);
    for (const Placed& one : placed) {
        if (one.bin < bar_) continue;
        const std::uint64_t cost = documents.cost_of(one.position);
        costs_[one.bin] += cost;
        above_ += cost;
    }
    rise();
    for (const Placed& one : placed) {
        if (one.greatest >= bar_) positions.push_back(one.position);
    }
    return positions;
}

void RisingBar::rise() {
    // Documents above the lowest bin use up the budget, so all of that bin is out.
    while (above_ - costs_[bar_] >= budget_) above_ -= costs_[bar_++];
}

RisingBar::Seen RisingBar::seen() const {
    const std::lock_guard lock(mutex_);
    const auto own = [this](std::size_t bin) {
        return costs_[bin] - (others_.empty() ? 0 : others_[bin]);
    };
    Seen found;
    std::size_t last = kBins;
    found.first_bin = bar_;
    while (last > found.first_bin && own(last - 1) == 0) --last;
    while (found.first_bin < last && own(found.first_bin) == 0) ++found.first_bin;
    for (std::size_t bin = found.first_bin; bin < last; ++bin) found.costs.push_back(own(bin));
    return found;
}

void RisingBar::add_seen(const Seen& more) {
    if (more.first_bin > kBins || more.costs.size() > kBins - more.first_bin) {
        throw std::invalid_argument("a rising bar has fewer bins");
    }
    const std::lock_guard lock(mutex_);
    if (others_.empty()) others_.resize(kBins);
    for (std::size_t i = 0; i < more.costs.size(); ++i) {
        const std::size_t bin = more.first_bin + i;
        if (bin < bar_) continue;
        // A bin that has the budget lets nothing below it through: more would not count.
        const std::uint64_t cost = std::min(more.costs[i], budget_);
        costs_[bin] += cost;
        others_[bin] += cost;
        above_ += cost;
    }
    rise();
}

}  // namespace dsir::sampling
