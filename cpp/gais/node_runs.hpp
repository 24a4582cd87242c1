#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gais/attention_graph.hpp"

namespace dsir::gais {

/// Nodes, as runs of consecutive ones that ascend and do not touch.
struct NodeRun {
    std::int64_t begin;
    std::int64_t end;
};
using NodeRuns = std::vector<NodeRun>;

/// Calls body(first, last) for the nodes of each run that are within begin to end - 1.
template <class Body>
void for_runs(const NodeRuns& runs, std::int64_t begin, std::int64_t end, Body&& body) {
    auto run =
        std::upper_bound(runs.begin(), runs.end(), begin,
                         [](std::int64_t node, const NodeRun& one) { return node < one.end; });
    for (; run != runs.end() && run->begin < end; ++run) {
        body(std::max(begin, run->begin), std::min(end, run->end));
    }
}

/// The nodes marked with anything but 0.
inline NodeRuns marked_runs(const std::vector<std::uint8_t>& marks) {
    NodeRuns runs;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(marks.size()); ++i) {
        if (marks[i] == 0) continue;
        if (runs.empty() || runs.back().end < i) runs.push_back({i, i});
        runs.back().end = i + 1;
    }
    return runs;
}

}  // namespace dsir::gais
