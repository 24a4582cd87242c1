#include "gais/attention_graph.hpp"

#include <algorithm>
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

Edges both_ways(const std::int64_t* offsets, const std::int32_t* neighbours, std::int64_t size) {
    const std::int64_t edges = offsets[size];
    // Room for all edges of a node, some of which may be there twice.
    std::vector<std::int64_t> room(static_cast<std::size_t>(size) + 1, 0);
    for (std::int64_t e = 0; e < edges; ++e) ++room[neighbours[e] + 1];
    for (std::int64_t i = 0; i < size; ++i) {
        room[i + 1] += room[i] + 1 + offsets[i + 1] - offsets[i];
    }
    Edges found;
    found.neighbours.resize(static_cast<std::size_t>(room[size]));
    std::vector<std::int64_t> next(room.begin(), room.end() - 1);
    for (std::int64_t i = 0; i < size; ++i) {
        const auto own = static_cast<std::int32_t>(i);
        found.neighbours[next[i]++] = own;
        for (std::int64_t e = offsets[i]; e < offsets[i + 1]; ++e) {
            found.neighbours[next[i]++] = neighbours[e];
            found.neighbours[next[neighbours[e]]++] = own;
        }
    }
    found.offsets.assign(1, 0);
    found.offsets.reserve(static_cast<std::size_t>(size) + 1);
    auto to = found.neighbours.begin();
    for (std::int64_t i = 0; i < size; ++i) {
        const auto begin = found.neighbours.begin() + room[i];
        const auto end = found.neighbours.begin() + room[i + 1];
        std::sort(begin, end);
        to = std::copy(begin, std::unique(begin, end), to);
        found.offsets.push_back(to - found.neighbours.begin());
    }
    found.neighbours.erase(to, found.neighbours.end());
    return found;
}

}  // namespace dsir::gais
