#include "lexrank/near_rows.hpp"

#include <cmath>
#include <functional>

namespace dsir::lexrank {
namespace {

// From this column on each cut doubles the one before, as long as there are columns.
constexpr std::int32_t kFirstCut = 4;
// How much of the reach the columns below the cut may contribute for rows that are not heads.
// Measured: docs/lab/lexrank.md.
constexpr double kShareLeftOut = 0.5;
// About what it costs to process an entry of a list, and a head.
constexpr std::int64_t kEntryCost = 2;
constexpr std::int64_t kHeadCost = 3;
// The first guess at a reach reads so many entries of lists for each of the k rows.
constexpr std::int64_t kGuessEntries = 16;

}  // namespace

NearRows::NearRows(const ComparableSparse& rows, std::int64_t begin, std::int64_t end)
    : rows_(rows),
      index_(rows, begin, end),
      size_(end - begin),
      error_(SparseBlock::rounding(rows.longest())) {
    for (std::int64_t cut = kFirstCut; cut < rows.width(); cut *= 2) {
        cuts_.push_back(static_cast<std::int32_t>(cut));
    }
    const auto cuts = static_cast<std::int64_t>(cuts_.size());
    part_.resize(static_cast<std::size_t>(cuts * size_));
    order_.resize(part_.size());
    above_.resize(static_cast<std::size_t>(cuts * (kSteps + 1)));
    for (std::int64_t i = 0; i < size_; ++i) {
        std::int64_t k = rows.begin(begin + i);
        double square = 0;
        for (std::int64_t level = 0; level < cuts; ++level) {
            for (; k < rows.end(begin + i) && rows.column(k) < cuts_[level]; ++k) {
                square += rows.weight(k) * rows.weight(k);
            }
            // Rounds up by more than rounding may have taken. A row of length 1 has at most kSteps
            // steps.
            const double steps = std::ceil(std::sqrt(square) * (1 + 1e-9) * kSteps);
            part_[level * size_ + i] = static_cast<std::uint8_t>(std::min<double>(steps, kSteps));
        }
    }
    for (std::int64_t level = 0; level < cuts; ++level) {
        const std::uint8_t* const part = part_.data() + level * size_;
        std::int32_t* const above = above_.data() + level * (kSteps + 1);
        std::vector<std::int32_t> next(kSteps + 1);
        for (std::int64_t i = 0; i < size_; ++i) ++next[part[i]];
        std::int32_t before = 0;
        for (std::int64_t steps = kSteps; steps >= 0; --steps) {
            above[steps] = before;
            before += next[steps];
            next[steps] = above[steps];
        }
        for (std::int64_t i = 0; i < size_; ++i) {
            order_[level * size_ + next[part[i]]++] = static_cast<std::uint16_t>(i);
        }
    }
}

NearRows::Cut NearRows::choose_cut(std::int64_t query, double reach, Scratch& scratch) const {
    scratch.sums.resize(static_cast<std::size_t>(size_));
    auto& lists = scratch.lists;
    lists.clear();
    const std::int64_t begin = rows_.begin(query);
    const std::int64_t end = rows_.end(query);
    std::int64_t entries = 0;
    for (std::int64_t k = begin; k < end; ++k) {
        const auto [from, to] = index_.list(rows_.column(k));
        lists.push_back({from, to, static_cast<float>(rows_.weight(k))});
        entries += to - from;
    }
    Cut best;
    std::int64_t least = entries * kEntryCost;
    std::size_t taken = 0;
    std::int64_t k = begin;
    double square = 0;
    for (std::size_t level = 0; level < cuts_.size() && k < end; ++level) {
        const std::int64_t before = k;
        for (; k < end && rows_.column(k) < cuts_[level]; ++k) {
            square += rows_.weight(k) * rows_.weight(k);
            const auto& list = lists[static_cast<std::size_t>(k - begin)];
            entries -= list.end - list.begin;
        }
        if (k == before) continue;
        const double length = std::sqrt(square) * (1 + 1e-6);
        const double most = kShareLeftOut * reach / length * kSteps;
        // Heads are the rows with more steps than `steps`, so all other rows stay below the share.
        const auto steps = static_cast<std::int64_t>(std::min<double>(most, kSteps));
        const std::int64_t heads = above_[static_cast<std::int64_t>(level) * (kSteps + 1) + steps];
        const std::int64_t cost = entries * kEntryCost + heads * kHeadCost;
        if (cost < least) {
            least = cost;
            best = {static_cast<std::int64_t>(level), static_cast<float>(length) * (1 + 0x1p-22F),
                    steps, heads};
            taken = static_cast<std::size_t>(k - begin);
        }
    }
    lists.erase(lists.begin(), lists.begin() + static_cast<std::ptrdiff_t>(taken));
    return best;
}

void NearRows::add_up(Scratch& scratch) const {
    float* const sums = scratch.sums.data();
    for (const auto& list : scratch.lists) index_.add(list.begin, list.end, list.weight, sums);
}

double NearRows::sure_reach(std::int64_t query, std::int64_t k, Scratch& scratch) const {
    scratch.sums.resize(static_cast<std::size_t>(size_));
    auto& lists = scratch.lists;
    lists.clear();
    std::int64_t entries = 0;
    for (std::int64_t at = rows_.end(query); at-- > rows_.begin(query);) {
        const auto [from, to] = index_.list(rows_.column(at));
        if (from == to) continue;
        lists.push_back({from, to, static_cast<float>(rows_.weight(at))});
        entries += to - from;
        if (entries >= kGuessEntries * k) break;
    }
    if (entries < k) return 0;
    add_up(scratch);
    const std::int64_t self = query - index_.begin();
    if (self >= 0 && self < size_) scratch.sums[static_cast<std::size_t>(self)] = 0;
    auto& found = scratch.found;
    found.resize(static_cast<std::size_t>(entries));
    std::int64_t count = 0;
    each_sum(scratch, [&](std::uint16_t, float sum) {
        found[static_cast<std::size_t>(count)] = sum;
        count += sum > 0;
    });
    if (count < k) return 0;
    // The columns that were not read can only add to a cosine.
    std::nth_element(found.begin(), found.begin() + (k - 1), found.begin() + count,
                     std::greater<>());
    return std::max(0.0,
                    static_cast<double>(found[static_cast<std::size_t>(k - 1)]) * (1 - 0x1p-22) -
                        static_cast<double>(error_));
}

}  // namespace dsir::lexrank
