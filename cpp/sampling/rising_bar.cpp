#include "sampling/rising_bar.hpp"

#include "sampling/key_filter.hpp"

namespace dsir::sampling {

RisingBar::RisingBar(const KeySettings& settings, std::uint64_t budget)
    : settings_(settings), budget_(budget), costs_(kBins) {}

std::vector<std::int64_t> RisingBar::add(const Documents& documents) {
    struct Placed {
        std::int64_t position;
        std::size_t bin;
    };
    // The bar as it is now: it only rises, so what is below it need not be looked at.
    const double bar = lowest_key(std::uint64_t{bar_.load()} << (64 - kBinBits));
    std::vector<Placed> placed;
    KeyFilter(settings_, bar)
        .for_each(documents, 0, documents.size, [&](std::int64_t i, Rank rank) {
            placed.push_back({i, static_cast<std::size_t>(rank.key >> (64 - kBinBits))});
        });
    std::vector<std::int64_t> positions;
    const std::lock_guard lock(mutex_);
    for (const Placed& one : placed) {
        if (one.bin < bar_) continue;
        const std::uint64_t cost = documents.cost_of(one.position);
        costs_[one.bin] += cost;
        above_ += cost;
    }
    // The budget is spent above the lowest bin: whatever is in it is out.
    while (above_ - costs_[bar_] >= budget_) above_ -= costs_[bar_++];
    for (const Placed& one : placed) {
        if (one.bin >= bar_) positions.push_back(one.position);
    }
    return positions;
}

}  // namespace dsir::sampling
