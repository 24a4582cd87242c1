#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "lexrank/centrality.hpp"

namespace dsir::lexrank {

/// What both walks share: which units take part, where the walk starts, and where it jumps to.
class WalkSteps {
  public:
    WalkSteps(std::int64_t size, const WalkSettings& settings) : settings_(settings) {
        for (std::int64_t i = 0; i < size; ++i) participants_ += takes_part(i);
        share_ = participants_ == 0 ? 0.0 : 1.0 / static_cast<double>(participants_);
    }

    std::int64_t participants() const { return participants_; }
    bool takes_part(std::int64_t i) const {
        return settings_.takes_part == nullptr || settings_.takes_part[i] != 0;
    }
    double start(std::int64_t i) const { return takes_part(i) ? share_ : 0.0; }

    /// The probability that a jump leads to the unit.
    double jump(std::int64_t i) const {
        return settings_.teleport == nullptr || !takes_part(i) ? start(i) : settings_.teleport[i];
    }

    /// The unit's score after a step, given what its neighbours handed over.
    double next(std::int64_t i, double handed_over) const {
        if (!takes_part(i)) return 0.0;
        return (1.0 - settings_.damping) * jump(i) + settings_.damping * handed_over;
    }

  private:
    const WalkSettings& settings_;
    std::int64_t participants_ = 0;
    double share_ = 0;
};

/// Adds the numbers in the given order. Partial sums belong to blocks, which do not depend on
/// threads.
inline double in_order(const std::vector<double>& partial) {
    double sum = 0;
    for (const double part : partial) sum += part;
    return sum;
}

}  // namespace dsir::lexrank
