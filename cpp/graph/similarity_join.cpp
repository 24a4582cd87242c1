#include "graph/similarity_join.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

#include "graph/comparable_rows.hpp"
#include "graph/join_block.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::graph {
namespace {

template <class Rows>
using BlockOf = std::conditional_t<std::is_same_v<Rows, DenseRows>, DenseBlock, SparseBlock>;

/// Whether a cosine is an edge.
struct Wanted {
    double threshold;
    bool strict;
    bool operator()(double cosine) const {
        return strict ? cosine > threshold : cosine >= threshold;
    }
};

/// Calls body(j) for the estimates that may reach `reach`, in ascending order.
template <class Body>
void each_candidate(const float* estimate, float error, std::int64_t count, double reach,
                    Body&& body) {
    constexpr std::int64_t kStride = 32;
    const float least = static_cast<float>(reach) * (1 - 0x1p-22F) - error;
    std::int64_t j = 0;
    for (; j + kStride <= count; j += kStride) {
        // Most strides have none: one test for all, which compilers do side by side.
        int any = 0;
        for (std::int64_t k = j; k < j + kStride; ++k) any |= estimate[k] >= least;
        if (any == 0) continue;
        for (std::int64_t k = j; k < j + kStride; ++k) {
            if (estimate[k] >= least) body(k);
        }
    }
    for (; j < count; ++j) {
        if (estimate[j] >= least) body(j);
    }
}

/// Pairs (i, j), j < i, of one block and a run of rows i: per row with any, how many.
struct Hits {
    struct Run {
        std::int32_t row;
        std::uint32_t count;
    };
    std::int64_t first = 0;  ///< the run's first row; orders the runs of a block
    std::vector<Run> runs;
    std::vector<std::uint16_t> members;  ///< j, from the block's first row on
};

/// Per thread: memory to work in.
template <class Comparable>
struct Scratch {
    Scratch(const Comparable& rows, std::int64_t block_rows)
        : comparison(rows), estimate(static_cast<std::size_t>(block_rows)) {}
    typename Comparable::Comparison comparison;
    std::vector<float> estimate;
};

template <class Block>
class Join {
  public:
    using Comparable = typename Block::Comparable;

    Join(const Comparable& rows, const JoinSettings& settings)
        : rows_(rows),
          settings_(settings),
          wanted_{settings.threshold, settings.strict},
          step_(std::min(settings.block_rows, rows.largest_block())),
          scratch_(settings.threads) {}

    Graph by_threshold() {
        std::vector<std::vector<Hits>> hits;
        for (std::int64_t begin = 0; begin < rows_.size(); begin += step_) {
            hits.push_back(hits_of(begin, std::min(rows_.size(), begin + step_)));
        }
        return mirrored(hits);
    }

    Graph by_rank(std::int64_t k);
    void weigh(Graph& graph);

  private:
    Scratch<Comparable>& scratch(unsigned thread) {
        if (!scratch_[thread]) {
            scratch_[thread] = std::make_unique<Scratch<Comparable>>(rows_, step_);
        }
        return *scratch_[thread];
    }

    std::vector<Hits> hits_of(std::int64_t begin, std::int64_t end) {
        const Block block(rows_, begin, end);
        std::vector<Hits> found;
        std::mutex mutex;
        const std::int64_t queries = rows_.size() - begin;
        // Short ranges: a block's later rows have more to compare with, and memory grows by range.
        const auto join_range = [&](unsigned thread, std::int64_t from, std::int64_t to) {
            Hits hits;
            hits.first = begin + from;
            for (std::int64_t i = begin + from; i < begin + to; ++i) {
                add_hits(block, begin, std::min(i, end), i, scratch(thread), hits);
            }
            hits.runs.shrink_to_fit();
            hits.members.shrink_to_fit();
            const std::lock_guard lock(mutex);
            found.push_back(std::move(hits));
        };
        parallel::for_ranges(queries, settings_.threads, join_range);
        std::sort(found.begin(), found.end(),
                  [](const Hits& a, const Hits& b) { return a.first < b.first; });
        return found;
    }

    void add_hits(const Block& block, std::int64_t begin, std::int64_t limit, std::int64_t i,
                  Scratch<Comparable>& scratch, Hits& hits) {
        if (limit <= begin || rows_.is_zero(i)) return;
        const double reach = settings_.threshold;
        float* const estimate = scratch.estimate.data();
        const float error = block.fill(i, limit, estimate);
        const float sure = static_cast<float>(reach) * (1 + 0x1p-22F) + error;
        scratch.comparison.choose(i);
        const std::size_t before = hits.members.size();
        each_candidate(estimate, error, limit - begin, reach, [&](std::int64_t j) {
            if (estimate[j] > sure ||
                (!rows_.is_zero(begin + j) && wanted_(scratch.comparison.cosine(begin + j)))) {
                hits.members.push_back(static_cast<std::uint16_t>(j));
            }
        });
        const std::size_t count = hits.members.size() - before;
        if (count != 0) {
            hits.runs.push_back({static_cast<std::int32_t>(i), static_cast<std::uint32_t>(count)});
        }
    }

    Graph mirrored(std::vector<std::vector<Hits>>& hits) const;

    const Comparable& rows_;
    JoinSettings settings_;
    Wanted wanted_;
    std::int64_t step_;
    std::vector<std::unique_ptr<Scratch<Comparable>>> scratch_;
};

/// Makes the whole graph of its lower half. A row's neighbours come in three parts: those before
/// it, block by block; itself; those behind it. Each part is written by one thread, in order.
template <class Block>
Graph Join<Block>::mirrored(std::vector<std::vector<Hits>>& hits) const {
    const std::int64_t size = rows_.size();
    const auto blocks = static_cast<std::int64_t>(hits.size());
    std::vector<std::int64_t> before(static_cast<std::size_t>(size));
    std::vector<std::int64_t> behind(static_cast<std::size_t>(size));
    for (const auto& of_block : hits) {
        for (const Hits& part : of_block) {
            for (const auto& run : part.runs) before[run.row] += run.count;
        }
    }
    const auto each_hit_block = [&](const auto& body) {
        parallel::for_ranges(blocks, settings_.threads,
                             [&](unsigned, std::int64_t first, std::int64_t last) {
                                 for (std::int64_t b = first; b < last; ++b) body(b);
                             });
    };
    each_hit_block([&](std::int64_t b) {
        for (const Hits& part : hits[b]) {
            for (const std::uint16_t member : part.members) ++behind[b * step_ + member];
        }
    });
    Graph graph;
    graph.offsets.resize(static_cast<std::size_t>(size) + 1);
    for (std::int64_t i = 0; i < size; ++i) {
        const std::int64_t self = settings_.self_edges && !rows_.is_zero(i) ? 1 : 0;
        graph.offsets[i + 1] = graph.offsets[i] + before[i] + self + behind[i];
        // From here on: where the next neighbour before, and behind, is to be written.
        behind[i] = graph.offsets[i] + before[i] + self;
        before[i] = graph.offsets[i];
    }
    graph.neighbours.resize(static_cast<std::size_t>(graph.offsets.back()));
    each_hit_block([&](std::int64_t b) {
        for (const Hits& part : hits[b]) {
            std::size_t at = 0;
            for (const auto& run : part.runs) {
                for (std::uint32_t k = 0; k < run.count; ++k) {
                    const std::int64_t j = b * step_ + part.members[at++];
                    graph.neighbours[behind[j]++] = run.row;
                }
            }
        }
    });
    for (std::int64_t b = 0; b < blocks; ++b) {
        auto& parts = hits[b];
        const auto copy = [&](unsigned, std::int64_t first, std::int64_t last) {
            for (std::int64_t p = first; p < last; ++p) {
                std::size_t at = 0;
                for (const auto& run : parts[p].runs) {
                    for (std::uint32_t k = 0; k < run.count; ++k) {
                        graph.neighbours[before[run.row]++] =
                            static_cast<std::int32_t>(b * step_ + parts[p].members[at++]);
                    }
                }
                parts[p] = Hits{};
            }
        };
        parallel::for_ranges(static_cast<std::int64_t>(parts.size()), settings_.threads, copy);
    }
    if (settings_.self_edges) {
        for (std::int64_t i = 0; i < size; ++i) {
            if (!rows_.is_zero(i)) graph.neighbours[before[i]] = static_cast<std::int32_t>(i);
        }
    }
    return graph;
}

/// One of a row's best neighbours so far.
struct Ranked {
    double cosine;
    std::int32_t row;
    /// The better one first.
    bool operator<(const Ranked& other) const {
        return cosine != other.cosine ? cosine > other.cosine : row < other.row;
    }
};

template <class Block>
Graph Join<Block>::by_rank(std::int64_t k) {
    const std::int64_t size = rows_.size();
    const auto wanted_count = static_cast<std::size_t>(std::min(k, size));
    // Heaps, the worst of a row's best on top.
    std::vector<std::vector<Ranked>> best(static_cast<std::size_t>(size));
    for (std::int64_t begin = 0; begin < size; begin += step_) {
        const std::int64_t end = std::min(size, begin + step_);
        const Block block(rows_, begin, end);
        const auto rank_range = [&](unsigned thread, std::int64_t from, std::int64_t to) {
            Scratch<Comparable>& own = scratch(thread);
            float* const estimate = own.estimate.data();
            std::vector<float> sorted;
            for (std::int64_t i = from; i < to; ++i) {
                if (rows_.is_zero(i)) continue;
                std::vector<Ranked>& heap = best[i];
                const bool full = heap.size() == wanted_count;
                double reach =
                    full ? std::max(settings_.threshold, heap.front().cosine) : settings_.threshold;
                const float error = block.fill(i, end, estimate);
                if (!full && end - begin > k) {
                    // Estimates alone say that k others are at least this near. A part of them is
                    // enough: some more are compared, and the rest need not be sorted through.
                    const std::int64_t part =
                        std::min(end - begin, std::max<std::int64_t>(16 * k, 1024));
                    sorted.assign(estimate, estimate + part);
                    if (i >= begin && i < begin + part) sorted[i - begin] = 0.0F;
                    std::nth_element(sorted.begin(), sorted.begin() + (k - 1), sorted.end(),
                                     std::greater<>());
                    reach = std::max(
                        reach, static_cast<double>(sorted[k - 1]) - 2 * static_cast<double>(error));
                }
                own.comparison.choose(i);
                each_candidate(estimate, error, end - begin, reach, [&](std::int64_t j) {
                    const std::int64_t other = begin + j;
                    if (other == i || rows_.is_zero(other)) return;
                    // Nothing in common; else short of k neighbours every row would be compared.
                    if (estimate[j] == 0.0F && !rows_.negative()) return;
                    const Ranked one{own.comparison.cosine(other),
                                     static_cast<std::int32_t>(other)};
                    if (!wanted_(one.cosine)) return;
                    if (heap.size() == wanted_count) {
                        if (!(one < heap.front())) return;
                        std::pop_heap(heap.begin(), heap.end());
                        heap.back() = one;
                    } else {
                        heap.push_back(one);
                    }
                    std::push_heap(heap.begin(), heap.end());
                });
            }
        };
        parallel::for_ranges(size, settings_.threads, rank_range);
    }
    // The union of both directions: count, place, sort, drop what came twice.
    Graph graph;
    std::vector<std::int64_t> count(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) {
        count[i] += settings_.self_edges && !rows_.is_zero(i) ? 1 : 0;
        count[i] += static_cast<std::int64_t>(best[i].size());
        for (const Ranked& one : best[i]) ++count[one.row];
    }
    std::vector<std::int64_t> next(static_cast<std::size_t>(size) + 1);
    for (std::int64_t i = 0; i < size; ++i) next[i + 1] = next[i] + count[i];
    const std::vector<std::int64_t> starts = next;
    std::vector<std::int32_t> both(static_cast<std::size_t>(starts.back()));
    for (std::int64_t i = 0; i < size; ++i) {
        const auto row = static_cast<std::int32_t>(i);
        if (settings_.self_edges && !rows_.is_zero(i)) both[next[i]++] = row;
        for (const Ranked& one : best[i]) {
            both[next[i]++] = one.row;
            both[next[one.row]++] = row;
        }
        std::vector<Ranked>().swap(best[i]);
    }
    const auto unite = [&](unsigned, std::int64_t from, std::int64_t to) {
        for (std::int64_t i = from; i < to; ++i) {
            const auto first = both.begin() + starts[i];
            const auto last = both.begin() + starts[i + 1];
            std::sort(first, last);
            count[i] = std::unique(first, last) - first;
        }
    };
    parallel::for_ranges(size, settings_.threads, unite);
    graph.offsets.resize(static_cast<std::size_t>(size) + 1);
    for (std::int64_t i = 0; i < size; ++i) {
        graph.offsets[i + 1] = graph.offsets[i] + count[i];
        // To the left, over what came twice: in place, in order.
        std::copy(both.begin() + starts[i], both.begin() + starts[i] + count[i],
                  both.begin() + graph.offsets[i]);
    }
    both.resize(static_cast<std::size_t>(graph.offsets.back()));
    both.shrink_to_fit();
    graph.neighbours = std::move(both);
    return graph;
}

template <class Block>
void Join<Block>::weigh(Graph& graph) {
    graph.weights.resize(graph.neighbours.size());
    parallel::for_ranges(rows_.size(), settings_.threads,
                         [&](unsigned thread, std::int64_t begin, std::int64_t end) {
                             auto& comparison = scratch(thread).comparison;
                             for (std::int64_t i = begin; i < end; ++i) {
                                 if (graph.offsets[i] == graph.offsets[i + 1]) continue;
                                 comparison.choose(i);
                                 for (std::int64_t k = graph.offsets[i]; k < graph.offsets[i + 1];
                                      ++k) {
                                     graph.weights[k] = comparison.cosine(graph.neighbours[k]);
                                 }
                             }
                         });
}

}  // namespace

template <class Rows>
Graph threshold_join(const Rows& rows, const JoinSettings& settings, bool weights) {
    using Block = BlockOf<Rows>;
    const typename Block::Comparable comparable(rows, settings.threads);
    Join<Block> join(comparable, settings);
    Graph graph = join.by_threshold();
    if (weights) join.weigh(graph);
    return graph;
}

template <class Rows>
Graph top_k_join(const Rows& rows, const JoinSettings& settings, std::int64_t k, bool weights) {
    using Block = BlockOf<Rows>;
    const typename Block::Comparable comparable(rows, settings.threads);
    Join<Block> join(comparable, settings);
    Graph graph = join.by_rank(k);
    if (weights) join.weigh(graph);
    return graph;
}

#define DSIR_GRAPH_INSTANTIATE(...)                                               \
    template Graph threshold_join(const __VA_ARGS__&, const JoinSettings&, bool); \
    template Graph top_k_join(const __VA_ARGS__&, const JoinSettings&, std::int64_t, bool)

DSIR_GRAPH_INSTANTIATE(SparseRows<float>);
DSIR_GRAPH_INSTANTIATE(SparseRows<double>);
DSIR_GRAPH_INSTANTIATE(DenseRows);

}  // namespace dsir::graph
