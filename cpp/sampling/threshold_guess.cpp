#include "sampling/threshold_guess.hpp"

#include <algorithm>
#include <cmath>

namespace dsir::sampling {
namespace {

// So short that a corpus sorted by source is sampled in its proportions.
constexpr std::uint64_t kStretch = 256;
// The number of sampled documents above the budget's end is about Poisson. The bracket reaches
// kDeviations standard deviations to either side, and at least kLeast documents. That is generous,
// because rows that resemble their neighbours vary more than Poisson.
constexpr double kDeviations = 8.0;
constexpr double kLeast = 32.0;

}  // namespace

ThresholdGuess::ThresholdGuess(const KeySettings& settings, std::uint64_t budget,
                               std::uint64_t rows, std::uint64_t looked_at)
    : settings_(settings),
      budget_(budget),
      rows_(rows),
      stride_(std::max<std::uint64_t>(1, rows / std::max<std::uint64_t>(1, looked_at))) {
    seen_.reserve(std::min(rows, rows / stride_ + kStretch));
}

void ThresholdGuess::add(const Documents& documents) {
    const std::uint64_t first = documents.first_row;
    const std::uint64_t end = first + static_cast<std::uint64_t>(documents.size);
    const std::uint64_t period = kStretch * stride_;
    for (std::uint64_t stretch = first / period * period; stretch < end; stretch += period) {
        const std::uint64_t from = std::max(stretch, first);
        const std::uint64_t to = std::min(stretch + kStretch, end);
        for (std::uint64_t row = from; row < to; ++row) {
            const auto i = static_cast<std::int64_t>(row - first);
            ++rows_seen_;
            if (!documents.is_eligible(i)) continue;
            const Rank rank = rank_of(settings_, documents.log_weight[i], row);
            seen_.push_back({rank.key, documents.cost_of(i)});
        }
        if (stretch > ~period) return;  // the next stretch would be beyond the last possible row
    }
}

std::optional<Bracket> ThresholdGuess::bracket() {
    if (seen_.empty()) return std::nullopt;
    std::sort(seen_.begin(), seen_.end(),
              [](const Seen& a, const Seen& b) { return a.key > b.key; });
    const double share = static_cast<double>(rows_seen_) / static_cast<double>(rows_);
    const double budget = static_cast<double>(budget_) * share;
    double cost = 0;
    std::size_t taken = 0;
    while (taken < seen_.size() && cost < budget) cost += seen_[taken++].cost;
    const double margin = kDeviations * std::sqrt(static_cast<double>(taken)) + kLeast;
    const double least = static_cast<double>(taken) + margin;
    if (!(least < static_cast<double>(seen_.size()))) return std::nullopt;
    const double above = static_cast<double>(taken) - margin;
    Bracket bracket;
    bracket.least = seen_[static_cast<std::size_t>(least)].key;
    if (above >= 0) bracket.above = seen_[static_cast<std::size_t>(above)].key;
    return bracket;
}

}  // namespace dsir::sampling
