#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "simd/panels.hpp"

namespace dsir::gais {

/// Divides a row's distances to all prototypes by side: those of its own class, and those of
/// others.
class PrototypeSides {
  public:
    /// Adds the next prototype, of class `label`.
    void add(std::int32_t label) {
        if (runs_.empty() || runs_.back().label != label) runs_.push_back({count_, count_, label});
        runs_.back().end = ++count_;
    }
    /// Divides the distances of a row of class `label`, one for each prototype. Either side has a
    /// distance for each prototype, in whole panels, infinite for those of the other side.
    void divide(const float* distances, std::int32_t label) {
        if (label != label_) {
            sides_.assign(static_cast<std::size_t>(2 * panels() * simd::kPanelRows),
                          std::numeric_limits<float>::infinity());
        }
        label_ = label;
        own_count_ = 0;
        for (const Run& run : runs_) {
            const bool is_own = run.label == label;
            std::copy(distances + run.begin, distances + run.end,
                      sides_.data() + (is_own ? 0 : panels() * simd::kPanelRows) + run.begin);
            if (is_own) own_count_ += run.end - run.begin;
        }
    }
    std::int64_t panels() const { return (count_ + simd::kPanelRows - 1) / simd::kPanelRows; }
    const float* own() const { return sides_.data(); }
    const float* other() const { return sides_.data() + panels() * simd::kPanelRows; }
    /// How many prototypes there are of the own class, and of others.
    std::int64_t own_count() const { return own_count_; }
    std::int64_t other_count() const { return count_ - own_count_; }

  private:
    /// Consecutive prototypes of one class.
    struct Run {
        std::int64_t begin, end;
        std::int32_t label;
    };
    std::vector<Run> runs_;
    std::int64_t count_ = 0;
    std::int32_t label_ = -1;
    std::int64_t own_count_ = 0;
    std::vector<float> sides_;
};

}  // namespace dsir::gais
