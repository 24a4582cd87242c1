#pragma once

#include <cstdint>
#include <limits>

namespace dsir::sampling {

/// A run of consecutive documents.
struct Documents {
    const double* log_weight;      ///< no NaN
    const std::uint8_t* eligible;  ///< 0: never selected; null: those above -infinity are eligible
    const std::uint32_t* cost;     ///< what each takes of the budget; null: 1 each
    std::int64_t size;
    std::uint64_t first_row;  ///< global row number of the first

    bool is_eligible(std::int64_t i) const {
        return eligible != nullptr ? eligible[i] != 0
                                   : log_weight[i] > -std::numeric_limits<double>::infinity();
    }
    std::uint64_t row(std::int64_t i) const { return first_row + static_cast<std::uint64_t>(i); }
    /// Those from begin to end, as a run.
    Documents part(std::int64_t begin, std::int64_t end) const {
        return {log_weight + begin, eligible == nullptr ? nullptr : eligible + begin,
                cost == nullptr ? nullptr : cost + begin, end - begin, row(begin)};
    }
    std::uint32_t cost_of(std::int64_t i) const { return cost == nullptr ? 1 : cost[i]; }
};

}  // namespace dsir::sampling
