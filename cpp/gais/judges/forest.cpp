#include <algorithm>
#include <cmath>

#include "gais/judges/judges.hpp"
#include "numeric/mixed.hpp"

namespace dsir::gais::judges {
namespace {

/// A split sends values <= threshold to the node `left`, and others to left + 1. A leaf has column
/// -1, and `left` is its label, or -1 - (its place among the mixed leaves).
struct Node {
    float threshold = 0;
    std::int32_t column = -1;
    std::int32_t left = 0;
};

/// Grows one tree after the other. Scratch memory is kept from tree to tree.
class Grower {
  public:
    Grower(const LabelledRows& table, const TrainingRows& train)
        : table_(table),
          train_(train),
          tried_(std::max<std::int64_t>(
              1, static_cast<std::int64_t>(std::sqrt(static_cast<double>(table.rows.width))))) {
        columns_.resize(static_cast<std::size_t>(table.rows.width));
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            columns_[c] = static_cast<std::int32_t>(c);
        }
        for (std::int64_t i = 0; i < train.size; ++i) {
            labels_.push_back(table.labels[train.at[i]]);
            weights_.push_back(train.weight_of(i));
        }
    }

    void grow(std::uint64_t seed) {
        seed_ = seed;
        draws_ = 0;
        nodes.assign(1, {});
        mixed_leaves.clear();
        sample_.resize(static_cast<std::size_t>(train_.size));
        for (std::int32_t& place : sample_) {
            place = static_cast<std::int32_t>(below(static_cast<std::uint64_t>(train_.size)));
        }
        struct Task {
            std::int32_t node;
            std::int64_t begin, end;
        };
        std::vector<Task> waiting = {{0, 0, train_.size}};
        while (!waiting.empty()) {
            const Task task = waiting.back();
            waiting.pop_back();
            const std::int64_t middle = split(task.node, task.begin, task.end);
            if (middle < 0) continue;
            const std::int32_t left = nodes[static_cast<std::size_t>(task.node)].left;
            waiting.push_back({left, task.begin, middle});
            waiting.push_back({left + 1, middle, task.end});
        }
    }

    /// Adds the tree's vote for a row to `votes`, [classes].
    void vote(const float* row, float* votes) const {
        const Node* node = nodes.data();
        while (node->column >= 0) {
            node = nodes.data() + node->left + (row[node->column] <= node->threshold ? 0 : 1);
        }
        if (node->left >= 0) {
            votes[node->left] += 1;
            return;
        }
        const float* const shares = mixed_leaves.data() + (-1 - node->left) * table_.classes;
        for (std::int32_t c = 0; c < table_.classes; ++c) votes[c] += shares[c];
    }

    std::vector<Node> nodes;
    std::vector<float> mixed_leaves;  ///< [mixed leaves, classes]: shares

  private:
    struct Entry {
        float value;
        std::int32_t place;
    };

    std::uint64_t below(std::uint64_t size) {
        return static_cast<std::uint64_t>(
            static_cast<double>(numeric::mixed(seed_, draws_++) >> 11) * 0x1p-53 *
            static_cast<double>(size));
    }

    /// Makes the node a split and returns the beginning of its right half, or makes it a leaf and
    /// returns -1.
    std::int64_t split(std::int32_t number, std::int64_t begin, std::int64_t end) {
        counts_.assign(static_cast<std::size_t>(table_.classes), 0);
        total_ = 0;
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int32_t place = sample_[i];
            counts_[labels_[place]] += weights_[place];
            total_ += weights_[place];
        }
        const auto most = std::max_element(counts_.begin(), counts_.end());
        if (*most == total_) {
            nodes[number].left = static_cast<std::int32_t>(most - counts_.begin());
            return -1;
        }
        double best = -1;
        // Tries as many columns as the forest asks for, and more if none of those can be split.
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            if (static_cast<std::int64_t>(c) >= tried_ && best >= 0) break;
            std::swap(columns_[c], columns_[c + below(columns_.size() - c)]);
            try_column(columns_[c], begin, end, number, best);
        }
        if (best < 0) {
            for (const std::int64_t count : counts_) {
                mixed_leaves.push_back(static_cast<float>(count) / static_cast<float>(total_));
            }
            nodes[number].left = -static_cast<std::int32_t>(mixed_leaves.size() / counts_.size());
            return -1;
        }
        const std::int32_t column = nodes[number].column;
        const float threshold = nodes[number].threshold;
        const auto middle = std::partition(
            sample_.begin() + begin, sample_.begin() + end,
            [&](std::int32_t place) { return table_.row(train_.at[place])[column] <= threshold; });
        nodes[number].left = static_cast<std::int32_t>(nodes.size());
        nodes.resize(nodes.size() + 2);
        return middle - sample_.begin();
    }

    /// Looks for a split by a column that is better than `best`, the sum over both halves of Σ
    /// count² / (the sum of the counts). That sum grows as the Gini impurity falls.
    void try_column(std::int32_t column, std::int64_t begin, std::int64_t end, std::int32_t number,
                    double& best) {
        entries_.clear();
        for (std::int64_t i = begin; i < end; ++i) {
            entries_.push_back({table_.row(train_.at[sample_[i]])[column], sample_[i]});
        }
        // The order of equal values does not matter: no split parts them, and counts are exact.
        std::sort(entries_.begin(), entries_.end(),
                  [](const Entry& a, const Entry& b) { return a.value < b.value; });
        if (!(entries_.front().value < entries_.back().value)) return;
        left_.assign(counts_.size(), 0);
        std::int64_t left_squares = 0;
        std::int64_t right_squares = 0;
        for (const std::int64_t count : counts_) right_squares += count * count;
        const auto size = static_cast<std::int64_t>(entries_.size());
        std::int64_t left_total = 0;
        for (std::int64_t i = 0; i + 1 < size; ++i) {
            const std::int32_t of_class = labels_[entries_[i].place];
            const std::int64_t weight = weights_[entries_[i].place];
            right_squares -= weight * (2 * (counts_[of_class] - left_[of_class]) - weight);
            left_squares += weight * (2 * left_[of_class] + weight);
            left_[of_class] += weight;
            left_total += weight;
            if (!(entries_[i].value < entries_[i + 1].value)) continue;
            const double gain =
                static_cast<double>(left_squares) / static_cast<double>(left_total) +
                static_cast<double>(right_squares) / static_cast<double>(total_ - left_total);
            if (!(gain > best)) continue;
            best = gain;
            const float middle = entries_[i].value / 2 + entries_[i + 1].value / 2;
            nodes[number].column = column;
            // Rounding may have raised the middle to the right value, which belongs to the right
            // half.
            nodes[number].threshold = middle < entries_[i + 1].value ? middle : entries_[i].value;
        }
    }

    const LabelledRows table_;
    const TrainingRows train_;
    const std::int64_t tried_;
    std::vector<std::int32_t> labels_, weights_;  // of the training rows
    std::uint64_t seed_ = 0;
    std::uint64_t draws_ = 0;
    std::vector<std::int32_t> columns_;
    std::vector<std::int32_t> sample_;  // places of training rows
    std::int64_t total_ = 0;            // the weights of a node's rows
    std::vector<Entry> entries_;
    std::vector<std::int64_t> counts_, left_;
};

}  // namespace

std::vector<Answer> forest_answers(const LabelledRows& table, const TrainingRows& train,
                                   const RowNumbers& asked, const Forest& forest) {
    const std::int64_t classes = table.classes;
    std::vector<float> votes(static_cast<std::size_t>(asked.size * classes), 0.0F);
    Grower grower(table, train);
    for (std::int64_t t = 0; t < forest.trees; ++t) {
        grower.grow(numeric::mixed(forest.seed, static_cast<std::uint64_t>(t)));
        for (std::int64_t i = 0; i < asked.size; ++i) {
            grower.vote(table.row(asked.at[i]), votes.data() + i * classes);
        }
    }
    const float one_of_all = 1.0F / static_cast<float>(classes);
    std::vector<Answer> answers(static_cast<std::size_t>(asked.size));
    for (std::int64_t i = 0; i < asked.size; ++i) {
        const float* const of_row = votes.data() + i * classes;
        answers[i] = {
            static_cast<std::int32_t>(std::max_element(of_row, of_row + classes) - of_row),
            (of_row[table.labels[asked.at[i]]] + one_of_all) /
                static_cast<float>(forest.trees + 1)};
    }
    return answers;
}

}  // namespace dsir::gais::judges
