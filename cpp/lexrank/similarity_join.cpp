#include "lexrank/similarity_join.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "lexrank/comparable_rows.hpp"
#include "lexrank/join_estimates.hpp"
#include "lexrank/row_offsets.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::lexrank {
namespace {

// The sums for so many rows stay in the first-level cache.
constexpr std::int64_t kBlockRows = 8192;

/// The pairs (i, j) with j < i between one block and a run of rows i, and for each row i that has
/// any, their number.
struct Hits {
    struct Run {
        std::int32_t row;
        std::uint32_t count;
    };
    std::int64_t first = 0;  ///< first row of the run; orders the runs of a block
    std::vector<Run> runs;
    std::vector<std::uint16_t> members;  ///< j, counted from the block's first row
};

/// The scratch memory of one thread.
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
          step_(std::min(settings.block_rows_or(kBlockRows), rows.largest_block())),
          scratch_(settings.threads) {}

    Graph by_threshold() {
        std::vector<std::vector<Hits>> hits;
        for (std::int64_t begin = 0; begin < rows_.size(); begin += step_) {
            hits.push_back(hits_of(begin, std::min(rows_.size(), begin + step_)));
        }
        return mirrored(hits);
    }

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
        // Short ranges, because a block's later rows have more rows to compare with, and memory
        // grows by range.
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

/// Completes the graph from its lower half. A row's neighbours have three parts: the rows before it
/// (block by block), itself, and the rows after it. One thread writes each part, in order.
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
    const auto own_edges = [&](std::int64_t i) -> std::int64_t {
        return settings_.self_edges && !rows_.is_zero(i) ? 1 : 0;
    };
    std::vector<std::int64_t> counts(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) counts[i] = before[i] + own_edges(i) + behind[i];
    graph.offsets = row_offsets(counts);
    for (std::int64_t i = 0; i < size; ++i) {
        const std::int64_t self = own_edges(i);
        // From here on `before` and `behind` say where to write the next neighbour before and after
        // a row.
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

#define DSIR_LEXRANK_INSTANTIATE(...) \
    template Graph threshold_join(const __VA_ARGS__&, const JoinSettings&, bool)

DSIR_LEXRANK_INSTANTIATE(numeric::SparseRows<float>);
DSIR_LEXRANK_INSTANTIATE(numeric::SparseRows<double>);
DSIR_LEXRANK_INSTANTIATE(numeric::DenseRows);

}  // namespace dsir::lexrank
