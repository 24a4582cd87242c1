#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dsir::fasttext {

/// The Huffman tree of hierarchical softmax, as fastText builds it from the labels' counts.
///
/// Nodes 0 to labels - 1 are the labels. The others, the splits, are numbered so that a node comes
/// after its children; the last one is the root. Split s (node labels + s) goes right with the
/// probability sigmoid(scores[s]).
class LabelTree {
  public:
    /// Throws std::invalid_argument if a count is negative or 10^15 or more.
    explicit LabelTree(std::span<const std::int64_t> counts);

    std::size_t labels() const { return labels_; }
    std::size_t splits() const { return children_.size(); }

    struct Children {
        std::int32_t left;
        std::int32_t right;
    };
    /// The children of split s.
    Children children(std::size_t split) const { return children_[split]; }

    /// One step on the way from a label to the root.
    struct Step {
        std::size_t split;
        bool right;
    };
    std::vector<Step> path(std::size_t label) const;

  private:
    std::size_t labels_;
    std::vector<Children> children_;
    std::vector<std::int32_t> parents_;  ///< of every node; -1 for the root
};

}  // namespace dsir::fasttext
