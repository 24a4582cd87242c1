#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gais/exchange_losses.hpp"
#include "simd/panels.hpp"

namespace dsir::gais {

/// For every row a few of the prototypes on one side, so that a row that has lost one of its two
/// nearest prototypes finds the next without a look at all of them.
///
/// A row knows every prototype that is nearer than its bound, and sometimes others. Prototypes are
/// named by their place in the part, since the distance between two places never changes: an
/// exchange makes entries invalid and valid again without touching them.
class FewNearest {
  public:
    /// Forgets everything. `rows` is the number of rows of the part, and so of places.
    void resize(std::int64_t rows) {
        Few few;
        std::fill_n(few.places, kRoom, static_cast<std::int32_t>(rows));
        none_ = few;
        few_.assign(static_cast<std::size_t>(rows), none_);
        bounds_.assign(static_cast<std::size_t>(rows), 0.0F);
    }
    /// By row: prototypes nearer than this have to be offered.
    const float* bounds() const { return bounds_.data(); }

    /// Asks the processor for what a row knows, which is not in its cache in a large part.
    void prefetch(std::int64_t row) const { __builtin_prefetch(few_.data() + row); }

    /// Forgets what a row knows, and offers it all of its prototypes.
    ///
    /// `distances` has one squared distance for each slot, in whole panels, infinite for slots of
    /// the other side; `places` the place of each slot's prototype. The bound is `most` at most.
    void fill(std::int64_t row, const float* distances, std::int64_t panels,
              const std::int32_t* places, float most) {
        numbers_.resize(static_cast<std::size_t>(panels * simd::kPanelRows));
        Few& few = few_[row];
        few = none_;
        float limit = 0;
        const std::int64_t found = kernels_.least_few(distances, panels, numbers_.data(), &limit);
        for (std::int64_t k = 0; k < found; ++k) {
            const std::int32_t slot = numbers_[k];
            if (k < kRoom) {
                few.distances[k] = distances[slot];
                few.places[k] = places[slot];
            } else {
                replace_farthest(few, places[slot], distances[slot], limit);
            }
        }
        bounds_[row] = std::min(limit, most);
    }

    /// Offers a row a new prototype, `distance` away, which is below the row's bound. `slots` has
    /// the slot of each place, -1 for a place without a prototype, and -1 once more at the end.
    void offer(std::int64_t row, std::int32_t place, float distance, const std::int32_t* slots) {
        Few& few = few_[row];
        std::int64_t free = -1;
        for (std::int64_t k = 0; k < kRoom; ++k) {
            if (few.places[k] == place) return;
            if (slots[few.places[k]] < 0) free = k;
        }
        if (free < 0) {
            replace_farthest(few, place, distance, bounds_[row]);
            return;
        }
        few.places[free] = place;
        few.distances[free] = distance;
    }

    /// Finds the two nearest prototypes of a row; of equally near ones those with the smaller slot.
    /// Returns whether the row knows enough prototypes to tell.
    bool two_nearest(std::int64_t row, const std::int32_t* slots, simd::LeastTwo& least) const {
        const Few& few = few_[row];
        least = {kFar, kFar, -1, -1};
        for (std::int64_t k = 0; k < kRoom; ++k) {
            const std::int32_t slot = slots[few.places[k]];
            if (slot < 0) continue;
            const float distance = few.distances[k];
            if (distance < least.first || (distance == least.first && slot < least.first_number)) {
                least.second = least.first;
                least.second_number = least.first_number;
                least.first = distance;
                least.first_number = slot;
            } else if (distance < least.second ||
                       (distance == least.second && slot < least.second_number)) {
                least.second = distance;
                least.second_number = slot;
            }
        }
        return least.second < bounds_[row] || bounds_[row] == kFar;
    }

  private:
    static constexpr std::int64_t kRoom = 8;
    /// One cache line. An entry without a prototype has the place after the last.
    struct alignas(64) Few {
        float distances[kRoom] = {};
        std::int32_t places[kRoom] = {};
    };

    /// Puts a prototype in the place of the farthest one known, if it is nearer, and lowers the
    /// bound to the distance of the one that is left out.
    static void replace_farthest(Few& few, std::int32_t place, float distance, float& bound) {
        float* const farthest = std::max_element(few.distances, few.distances + kRoom);
        if (distance < *farthest) {
            few.places[farthest - few.distances] = place;
            std::swap(*farthest, distance);
        }
        bound = std::min(bound, distance);
    }

    const simd::PanelKernels& kernels_ = simd::panel_kernels(simd::active_level());
    Few none_;
    std::vector<Few> few_;
    std::vector<float> bounds_;
    std::vector<std::int32_t> numbers_;
};

}  // namespace dsir::gais
