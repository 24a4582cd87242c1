#include <algorithm>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "lexrank/comparable_rows.hpp"
#include "lexrank/join_estimates.hpp"
#include "lexrank/near_rows.hpp"
#include "lexrank/row_offsets.hpp"
#include "lexrank/similarity_join.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::lexrank {
namespace {

// Larger than in the threshold join: fewer sums are computed, and each block costs something for
// each row.
constexpr std::int64_t kBlockRows = 16384;

/// One of a row's best neighbours so far.
struct Ranked {
    double cosine;
    std::int32_t row;
    /// The better neighbour comes first.
    bool operator<(const Ranked& other) const {
        return cosine != other.cosine ? cosine > other.cosine : row < other.row;
    }
};

/// The best neighbours of one row, as a heap with the worst one on top. What the heap holds in the
/// end does not depend on the order in which the neighbours came.
class Best {
  public:
    bool full(std::size_t most) const { return heap_.size() == most; }
    double worst() const { return heap_.front().cosine; }
    const std::vector<Ranked>& members() const { return heap_; }
    void clear() { std::vector<Ranked>().swap(heap_); }

    void add(const Ranked& one, std::size_t most) {
        if (full(most)) {
            if (!(one < heap_.front())) return;
            std::pop_heap(heap_.begin(), heap_.end());
            heap_.back() = one;
        } else {
            if (heap_.size() == heap_.capacity()) {
                heap_.reserve(std::min(most, std::max<std::size_t>(4, 2 * heap_.size())));
            }
            heap_.push_back(one);
        }
        std::push_heap(heap_.begin(), heap_.end());
    }

  private:
    std::vector<Ranked> heap_;
};

template <class Block>
class TopKJoin {
  public:
    using Comparable = typename Block::Comparable;

    TopKJoin(const Comparable& rows, const JoinSettings& settings, std::int64_t k)
        : rows_(rows),
          settings_(settings),
          wanted_{settings.threshold, settings.strict},
          k_(k),
          most_(static_cast<std::size_t>(std::min(k, rows.size()))),
          step_(std::min(settings.block_rows_or(kBlockRows), rows.largest_block())),
          best_(static_cast<std::size_t>(rows.size())),
          scratch_(settings.threads) {}

    Graph graph(bool weights) {
        for (std::int64_t begin = 0; begin < rows_.size(); begin += step_) {
            const std::int64_t end = std::min(rows_.size(), begin + step_);
            if constexpr (std::is_same_v<Block, SparseBlock>) {
                if (!rows_.negative()) {
                    rank_near(NearRows(rows_, begin, end), begin);
                    continue;
                }
            }
            rank_all(Block(rows_, begin, end), begin, end);
        }
        return united(weights);
    }

  private:
    /// The scratch memory of one thread.
    struct Scratch {
        explicit Scratch(const Comparable& rows) : comparison(rows) {}
        typename Comparable::Comparison comparison;
        std::vector<float> estimate;
        std::vector<float> sorted;
        NearRows::Scratch near;
    };

    Scratch& scratch(unsigned thread) {
        if (!scratch_[thread]) scratch_[thread] = std::make_unique<Scratch>(rows_);
        return *scratch_[thread];
    }

    /// Compares every row with the rows of a block that the bounds do not rule out.
    void rank_near(const NearRows& block, std::int64_t begin) {
        const auto rank_range = [&](unsigned thread, std::int64_t from, std::int64_t to) {
            Scratch& own = scratch(thread);
            for (std::int64_t i = from; i < to; ++i) {
                if (rows_.is_zero(i)) continue;
                Best& best = best_[i];
                double reach =
                    std::max(settings_.threshold,
                             best.full(most_) ? best.worst() : block.sure_reach(i, k_, own.near));
                own.comparison.choose(i);
                block.each(i, reach, own.near, [&](std::int64_t j) {
                    const std::int64_t other = begin + j;
                    if (other == i) return reach;
                    const double cosine = own.comparison.cosine(other);
                    if (!wanted_(cosine)) return reach;
                    best.add({cosine, static_cast<std::int32_t>(other)}, most_);
                    if (best.full(most_)) reach = std::max(reach, best.worst());
                    return reach;
                });
            }
        };
        parallel::for_ranges(rows_.size(), settings_.threads, rank_range);
    }

    /// Estimates the cosine of every row with all rows of a block.
    void rank_all(const Block& block, std::int64_t begin, std::int64_t end) {
        const auto rank_range = [&](unsigned thread, std::int64_t from, std::int64_t to) {
            Scratch& own = scratch(thread);
            own.estimate.resize(static_cast<std::size_t>(end - begin));
            float* const estimate = own.estimate.data();
            std::vector<float>& sorted = own.sorted;
            for (std::int64_t i = from; i < to; ++i) {
                if (rows_.is_zero(i)) continue;
                Best& best = best_[i];
                const bool full = best.full(most_);
                double reach =
                    full ? std::max(settings_.threshold, best.worst()) : settings_.threshold;
                const float error = block.fill(i, end, estimate);
                if (!full && end - begin > k_) {
                    // The estimates show that k other rows are at least this near. A part of the
                    // block is enough: a few more rows are then compared, but the rest need not be
                    // selected from.
                    const std::int64_t part =
                        std::min(end - begin, std::max<std::int64_t>(16 * k_, 1024));
                    sorted.assign(estimate, estimate + part);
                    if (i >= begin && i < begin + part) sorted[i - begin] = 0.0F;
                    std::nth_element(sorted.begin(), sorted.begin() + (k_ - 1), sorted.end(),
                                     std::greater<>());
                    reach = std::max(reach, static_cast<double>(sorted[k_ - 1]) -
                                                2 * static_cast<double>(error));
                }
                own.comparison.choose(i);
                each_candidate(estimate, error, end - begin, reach, [&](std::int64_t j) {
                    const std::int64_t other = begin + j;
                    if (other == i || rows_.is_zero(other)) return;
                    // Rows without a common column. Otherwise a row with fewer than k neighbours
                    // would be compared with all rows.
                    if (estimate[j] == 0.0F && !rows_.negative()) return;
                    const double cosine = own.comparison.cosine(other);
                    if (wanted_(cosine))
                        best.add({cosine, static_cast<std::int32_t>(other)}, most_);
                });
            }
        };
        parallel::for_ranges(rows_.size(), settings_.threads, rank_range);
    }

    /// The union of both directions: counts, places, sorts, and drops what came twice.
    Graph united(bool weights) {
        struct Edge {
            double cosine;
            std::int32_t row;
        };
        const std::int64_t size = rows_.size();
        const auto own_edge = [&](std::int64_t i) {
            return settings_.self_edges && !rows_.is_zero(i);
        };
        std::vector<std::int64_t> counts(static_cast<std::size_t>(size));
        for (std::int64_t i = 0; i < size; ++i) {
            counts[i] += static_cast<std::int64_t>(best_[i].members().size()) + own_edge(i);
            for (const Ranked& one : best_[i].members()) ++counts[one.row];
        }
        const std::vector<std::int64_t> starts = row_offsets(counts);
        std::vector<std::int64_t> next(starts.begin(), starts.end() - 1);
        std::vector<Edge> both(static_cast<std::size_t>(starts.back()));
        for (std::int64_t i = 0; i < size; ++i) {
            const auto row = static_cast<std::int32_t>(i);
            if (own_edge(i)) both[next[i]++] = {1.0, row};
            for (const Ranked& one : best_[i].members()) {
                both[next[i]++] = {one.cosine, one.row};
                both[next[one.row]++] = {one.cosine, row};
            }
            best_[i].clear();
        }
        // From here on `next` has the number of neighbours of each row.
        const auto unite = [&](unsigned, std::int64_t from, std::int64_t to) {
            for (std::int64_t i = from; i < to; ++i) {
                const auto first = both.begin() + starts[i];
                const auto last = both.begin() + starts[i + 1];
                // An edge that came twice has the same cosine, with the same bits in both
                // directions.
                std::sort(first, last, [](const Edge& a, const Edge& b) { return a.row < b.row; });
                next[i] = std::unique(first, last,
                                      [](const Edge& a, const Edge& b) { return a.row == b.row; }) -
                          first;
            }
        };
        parallel::for_ranges(size, settings_.threads, unite);
        Graph graph;
        graph.offsets = row_offsets(next);
        graph.neighbours.resize(static_cast<std::size_t>(graph.offsets.back()));
        if (weights) graph.weights.resize(graph.neighbours.size());
        const auto copy = [&](unsigned, std::int64_t from, std::int64_t to) {
            for (std::int64_t i = from; i < to; ++i) {
                for (std::int64_t k = 0; k < next[i]; ++k) {
                    const Edge& edge = both[starts[i] + k];
                    graph.neighbours[graph.offsets[i] + k] = edge.row;
                    if (weights) graph.weights[graph.offsets[i] + k] = edge.cosine;
                }
            }
        };
        parallel::for_ranges(size, settings_.threads, copy);
        return graph;
    }

    const Comparable& rows_;
    JoinSettings settings_;
    Wanted wanted_;
    std::int64_t k_;
    std::size_t most_;
    std::int64_t step_;
    std::vector<Best> best_;
    std::vector<std::unique_ptr<Scratch>> scratch_;
};

}  // namespace

template <class Rows>
Graph top_k_join(const Rows& rows, const JoinSettings& settings, std::int64_t k, bool weights) {
    using Block = BlockOf<Rows>;
    const typename Block::Comparable comparable(rows, settings.threads);
    return TopKJoin<Block>(comparable, settings, k).graph(weights);
}

#define DSIR_LEXRANK_INSTANTIATE(...) \
    template Graph top_k_join(const __VA_ARGS__&, const JoinSettings&, std::int64_t, bool)

DSIR_LEXRANK_INSTANTIATE(numeric::SparseRows<float>);
DSIR_LEXRANK_INSTANTIATE(numeric::SparseRows<double>);
DSIR_LEXRANK_INSTANTIATE(numeric::DenseRows);

}  // namespace dsir::lexrank
