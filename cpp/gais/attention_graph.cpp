#include "gais/attention_graph.hpp"

#include <utility>

namespace dsir::gais {

AttentionGraph make_attention_graph(std::vector<std::int64_t> offsets,
                                    std::vector<std::int32_t> neighbours) {
    AttentionGraph graph;
    graph.offsets = std::move(offsets);
    graph.neighbours = std::move(neighbours);
    const std::int64_t size = graph.size();
    graph.reverse_offsets.assign(static_cast<std::size_t>(size + 1), 0);
    for (const std::int32_t j : graph.neighbours) ++graph.reverse_offsets[j + 1];
    for (std::int64_t j = 0; j < size; ++j) {
        graph.reverse_offsets[j + 1] += graph.reverse_offsets[j];
    }
    std::vector<std::int64_t> next(graph.reverse_offsets.begin(), graph.reverse_offsets.end() - 1);
    graph.reverse_edges.resize(graph.neighbours.size());
    graph.reverse_nodes.resize(graph.neighbours.size());
    for (std::int64_t i = 0; i < size; ++i) {
        for (std::int64_t e = graph.offsets[i]; e < graph.offsets[i + 1]; ++e) {
            const std::int64_t at = next[graph.neighbours[e]]++;
            graph.reverse_edges[at] = e;
            graph.reverse_nodes[at] = static_cast<std::int32_t>(i);
        }
    }
    return graph;
}

}  // namespace dsir::gais
