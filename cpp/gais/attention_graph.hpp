#pragma once

#include <cstdint>
#include <vector>

namespace dsir::gais {

/// The edges over which nodes attend: node i to neighbours[offsets[i] .. offsets[i + 1]), and the
/// same edges by the node attended to. The attention of a node sums over its neighbours; the
/// gradient of a node gathers from those that attend to it, so no two threads write one place.
struct AttentionGraph {
    std::vector<std::int64_t> offsets;  ///< one more than nodes
    std::vector<std::int32_t> neighbours;
    std::vector<std::int64_t> reverse_offsets;
    std::vector<std::int64_t> reverse_edges;  ///< positions in `neighbours`
    std::vector<std::int32_t> reverse_nodes;  ///< who attends

    std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
    std::int64_t edges() const { return static_cast<std::int64_t>(neighbours.size()); }
};

/// Takes offsets that ascend from 0 and neighbours that are in range.
AttentionGraph make_attention_graph(std::vector<std::int64_t> offsets,
                                    std::vector<std::int32_t> neighbours);

}  // namespace dsir::gais
