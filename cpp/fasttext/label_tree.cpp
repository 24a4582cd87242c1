#include "fasttext/label_tree.hpp"

#include <algorithm>
#include <stdexcept>

namespace dsir::fasttext {

LabelTree::LabelTree(std::span<const std::int64_t> counts) : labels_(counts.size()) {
    // What fastText takes for the count of nodes that are not there yet.
    constexpr std::int64_t kNoCount = 1'000'000'000'000'000;
    for (const std::int64_t count : counts) {
        if (count < 0 || count >= kNoCount) {
            throw std::invalid_argument("the count of a label is out of range");
        }
    }
    if (labels_ == 0) return;
    const std::size_t nodes = 2 * labels_ - 1;
    std::vector<std::int64_t> totals(counts.begin(), counts.end());
    // Counts add up to more than 63 bits only in a file that is not honest.
    totals.resize(nodes, kNoCount);
    parents_.assign(nodes, -1);
    children_.reserve(labels_ - 1);
    std::size_t labels_left = labels_;
    std::size_t next_split = labels_;
    for (std::size_t node = labels_; node < nodes; ++node) {
        const auto take = [&] {
            const bool label = labels_left > 0 &&
                               (next_split >= node || totals[labels_left - 1] < totals[next_split]);
            const std::size_t taken = label ? --labels_left : next_split++;
            parents_[taken] = static_cast<std::int32_t>(node);
            return static_cast<std::int32_t>(taken);
        };
        const std::int32_t left = take();
        const std::int32_t right = take();
        children_.push_back({left, right});
        totals[node] = std::min(kNoCount, totals[static_cast<std::size_t>(left)]) +
                       std::min(kNoCount, totals[static_cast<std::size_t>(right)]);
    }
}

std::vector<LabelTree::Step> LabelTree::path(std::size_t label) const {
    std::vector<Step> steps;
    for (std::size_t node = label; parents_[node] >= 0;) {
        const auto parent = static_cast<std::size_t>(parents_[node]);
        const std::size_t split = parent - labels_;
        steps.push_back({split, static_cast<std::size_t>(children_[split].right) == node});
        node = parent;
    }
    return steps;
}

}  // namespace dsir::fasttext
