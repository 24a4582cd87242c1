#pragma once

#include <cstdint>
#include <vector>

namespace dsir::gais {

/// The edges along which nodes attend: node i attends to neighbours[offsets[i] .. offsets[i + 1]).
/// The same edges are also stored by the node attended to. The attention of a node sums over its
/// neighbours, and its gradient gathers from the nodes that attend to it, so no two threads write
/// to the same place.
struct AttentionGraph {
    std::vector<std::int64_t> offsets;  ///< one more than nodes
    std::vector<std::int32_t> neighbours;
    std::vector<std::int64_t> reverse_offsets;
    std::vector<std::int64_t> reverse_edges;  ///< positions in `neighbours`
    std::vector<std::int32_t> reverse_nodes;  ///< the node that attends

    std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
    std::int64_t edges() const { return static_cast<std::int64_t>(neighbours.size()); }
};

/// `offsets` must ascend from 0, and neighbours must be in range (this is not checked).
AttentionGraph make_attention_graph(std::vector<std::int64_t> offsets,
                                    std::vector<std::int32_t> neighbours);

struct Edges {
    std::vector<std::int64_t> offsets;  ///< one more than nodes
    std::vector<std::int32_t> neighbours;
};

/// Every edge of a directed graph both ways, and a loop at each node; neighbours ascend, and none
/// is there twice. `offsets` has `size` + 1 entries that ascend from 0, and neighbours must be in
/// range (this is not checked).
Edges both_ways(const std::int64_t* offsets, const std::int32_t* neighbours, std::int64_t size);

}  // namespace dsir::gais
