#pragma once

#include <cstdint>
#include <limits>

namespace dsir::sampling {

/// A run of consecutive documents. A view: the caller owns the arrays.
struct Documents {
    const double* log_weight;  ///< no NaN
    const std::uint8_t*
        eligible;  ///< 0: never selected; null: all with a log-weight above -infinity are eligible
    const std::uint32_t* cost;  ///< how much of the budget each document takes; null: 1 each
    std::int64_t size;
    std::uint64_t first_row;  ///< number of the first document over the whole corpus

    bool is_eligible(std::int64_t i) const {
        return eligible != nullptr ? eligible[i] != 0
                                   : log_weight[i] > -std::numeric_limits<double>::infinity();
    }
    std::uint64_t row(std::int64_t i) const { return first_row + static_cast<std::uint64_t>(i); }
    /// The documents from begin to end - 1, as a run.
    Documents part(std::int64_t begin, std::int64_t end) const {
        return {log_weight + begin, eligible == nullptr ? nullptr : eligible + begin,
                cost == nullptr ? nullptr : cost + begin, end - begin, row(begin)};
    }
    std::uint32_t cost_of(std::int64_t i) const { return cost == nullptr ? 1 : cost[i]; }
};

}  // namespace dsir::sampling
