#include "sampling/rising_bar.hpp"

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
    // Documents above the lowest bin use up the budget, so all of that bin is out.
    while (above_ - costs_[bar_] >= budget_) above_ -= costs_[bar_++];
    for (const Placed& one : placed) {
        if (one.greatest >= bar_) positions.push_back(one.position);
    }
    return positions;
}

}  // namespace dsir::sampling
