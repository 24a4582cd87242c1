#include <algorithm>
#include <utility>

#include "lexrank/centrality.hpp"
#include "lexrank/walk_steps.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::lexrank {
namespace {

constexpr std::int64_t kRowsABlock = 4096;

std::int64_t blocks_of(std::int64_t size) {
    return (size + kRowsABlock - 1) / kRowsABlock;
}

/// Calls body(block, begin, end) for blocks of rows.
template <class Body>
void each_block(std::int64_t size, unsigned threads, const Body& body) {
    parallel::for_ranges(blocks_of(size), threads,
                         [&](unsigned, std::int64_t first, std::int64_t last) {
                             for (std::int64_t b = first; b < last; ++b) {
                                 body(b, b * kRowsABlock, std::min(size, (b + 1) * kRowsABlock));
                             }
                         });
}

double row_sum(const GraphView& graph, std::int64_t row, const double* of) {
    double sum = 0;
    const std::int64_t end = graph.offsets[row + 1];
    for (std::int64_t k = graph.offsets[row]; k < end; ++k) {
        const double weight = graph.weights == nullptr ? 1.0 : graph.weights[k];
        sum += of == nullptr ? weight : weight * of[graph.neighbours[k]];
    }
    return sum;
}

}  // namespace

std::vector<double> graph_degrees(const GraphView& graph, unsigned threads) {
    std::vector<double> degree(static_cast<std::size_t>(graph.size));
    each_block(graph.size, threads, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) degree[i] = row_sum(graph, i, nullptr);
    });
    return degree;
}

Walk walk_graph(const GraphView& graph, const WalkSettings& settings) {
    const WalkSteps steps(graph.size, settings);
    const auto size = static_cast<std::size_t>(graph.size);
    std::vector<double> degree = graph_degrees(graph, settings.threads);
    Walk walk;
    walk.scores.resize(size);
    for (std::int64_t i = 0; i < graph.size; ++i) walk.scores[i] = steps.start(i);
    if (steps.participants() == 0) return walk;
    std::vector<double> handed(size);  // what a unit hands over along an edge of weight 1
    std::vector<double> next(size);
    std::vector<double> changes(static_cast<std::size_t>(blocks_of(graph.size)));
    walk.converged = false;
    while (!walk.converged && walk.iterations < settings.max_iterations) {
        for (std::size_t i = 0; i < size; ++i) {
            handed[i] = degree[i] > 0 ? walk.scores[i] / degree[i] : 0.0;
        }
        each_block(graph.size, settings.threads,
                   [&](std::int64_t block, std::int64_t begin, std::int64_t end) {
                       double change = 0;
                       for (std::int64_t i = begin; i < end; ++i) {
                           const double got =
                               degree[i] > 0 ? row_sum(graph, i, handed.data()) : walk.scores[i];
                           next[i] = steps.next(i, got);
                           change += std::abs(next[i] - walk.scores[i]);
                       }
                       changes[block] = change;
                   });
        std::swap(walk.scores, next);
        ++walk.iterations;
        walk.change = in_order(changes);
        walk.converged = walk.change <= settings.tolerance;
    }
    return walk;
}

}  // namespace dsir::lexrank
