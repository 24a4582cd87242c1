#include "sampling/rising_bar.hpp"

namespace dsir::sampling {

RisingBar::RisingBar(const KeySettings& settings, std::uint64_t budget)
    : settings_(settings), budget_(budget), costs_(kBins) {}

std::vector<std::int64_t> RisingBar::add(const Documents& documents) {
    struct Placed {
        std::int64_t position;
        std::size_t bin;
    };
    std::vector<Placed> placed;
    for (std::int64_t i = 0; i < documents.size; ++i) {
        if (documents.eligible[i] == 0) continue;
        const Rank rank = rank_of(settings_, documents.log_weight[i],
                                  documents.first_row + static_cast<std::uint64_t>(i));
        placed.push_back({i, static_cast<std::size_t>(rank.key >> (64 - kBinBits))});
    }
    std::vector<std::int64_t> positions;
    const std::lock_guard lock(mutex_);
    for (const Placed& one : placed) {
        if (one.bin < bar_) continue;
        const std::uint64_t cost = documents.cost == nullptr ? 1 : documents.cost[one.position];
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
