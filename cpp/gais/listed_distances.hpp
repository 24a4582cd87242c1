#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gais/exchange_losses.hpp"
#include "gais/near_rows.hpp"
#include "gais/panels.hpp"

namespace dsir::gais {

/// The distances of one candidate at a time to the rows of a part, as far as a search depends on
/// them: from the lists of near rows, and computed for the rows that have outgrown their reach. Of
/// these the second nearest prototype is farther than the reach, so that no list says whether a
/// candidate is nearer. Every other row counts as infinitely far: its second nearest prototype is
/// nearer than the candidate.
class ListedDistances {
  public:
    ListedDistances(const NearRows& lists, std::int64_t part, std::int64_t size, std::int64_t width)
        : lists_(lists),
          part_(part),
          width_(width),
          distances_(static_cast<std::size_t>(size), kFar),
          has_outgrown_(static_cast<std::size_t>(size), 0) {}

    /// Notes the squared distances of a row, whose columns are `values`, to its second nearest
    /// prototypes of its own and of other classes.
    void note(std::int32_t row, float own_second, float other_second, const float* values) {
        if (own_second <= lists_.own_reach(part_)[row] &&
            other_second <= lists_.other_reach(part_)[row]) {
            return;
        }
        if (has_outgrown_[row] != 0) return;
        has_outgrown_[row] = 1;
        outgrown_.push_back(row);
        values_.insert(values_.end(), values, values + width_);
        const auto size = static_cast<std::int64_t>(outgrown_.size());
        if (size <= panels_.rows()) {
            panels_.set(size - 1, values);
            return;
        }
        panels_.resize(2 * size + 62, width_);
        for (std::int64_t k = 0; k < size; ++k) panels_.set(k, values_.data() + k * width_);
        of_outgrown_.resize(panels_.padded());
    }

    /// Whether a row's distances are computed, for a list does not tell.
    bool has_outgrown(std::int64_t row) const { return has_outgrown_[row] != 0; }

    float own_reach(std::int64_t row) const { return lists_.own_reach(part_)[row]; }
    float other_reach(std::int64_t row) const { return lists_.other_reach(part_)[row]; }

    /// Asks the processor for the list of a candidate.
    void prefetch(std::int32_t candidate) const {
        constexpr std::int64_t kLine = 64 / sizeof(float);
        const NearRows::List list = lists_.of(part_, candidate);
        for (std::int64_t k = 0; k < list.size; k += kLine) {
            __builtin_prefetch(list.places + k);
            __builtin_prefetch(list.distances + k);
        }
    }

    /// Calls found(row, distance) for the rows nearer to a candidate than `own` (those of its
    /// class) or `other` says, in any order, and for some twice. The columns of the candidate are
    /// `point`; its class has the rows from `begin` to `end` - 1.
    template <class Found>
    void find(std::int32_t candidate, const float* point, std::int64_t begin, std::int64_t end,
              const float* own, const float* other, Found&& found) {
        list_ = lists_.of(part_, candidate);
        if (static_cast<std::int64_t>(nearer_.size()) < list_.size) nearer_.resize(list_.size);
        std::int32_t* const nearer = nearer_.data();
        std::int64_t count = 0;
        const auto walk = [&](const float* bounds, std::int64_t from, std::int64_t to) {
            // Without a branch, since nobody can guess which rows are nearer.
            for (std::int64_t k = from; k < to; ++k) {
                nearer[count] = static_cast<std::int32_t>(k);
                count += list_.distances[k] < bounds[list_.places[k]] ? 1 : 0;
            }
        };
        const auto place_of = [&](std::int64_t row) {
            return std::lower_bound(list_.places, list_.places + list_.size, row) - list_.places;
        };
        const std::int64_t first = place_of(begin);
        const std::int64_t last = place_of(end);
        walk(other, 0, first);
        walk(own, first, last);
        walk(other, last, list_.size);
        for (std::int64_t k = 0; k < count; ++k) {
            found(list_.places[nearer[k]], list_.distances[nearer[k]]);
        }
        if (outgrown_.empty()) return;
        panels_.distances(point, of_outgrown_.data());
        for (std::size_t k = 0; k < outgrown_.size(); ++k) {
            const std::int32_t row = outgrown_[k];
            const float bound = (row >= begin && row < end ? own : other)[row];
            if (of_outgrown_[k] < bound) found(row, of_outgrown_[k]);
        }
    }

    /// Calls body(distances) with the distances of the candidate that was found last, by row.
    template <class Body>
    void with_distances(Body&& body) {
        for (std::int64_t k = 0; k < list_.size; ++k) {
            distances_[list_.places[k]] = list_.distances[k];
        }
        for (std::size_t k = 0; k < outgrown_.size(); ++k) {
            distances_[outgrown_[k]] = of_outgrown_[k];
        }
        body(distances_.data());
        for (std::int64_t k = 0; k < list_.size; ++k) distances_[list_.places[k]] = kFar;
        for (const std::int32_t row : outgrown_) distances_[row] = kFar;
    }

  private:
    const NearRows& lists_;
    std::int64_t part_;
    std::int64_t width_;
    NearRows::List list_{};
    std::vector<float> distances_;
    std::vector<std::uint8_t> has_outgrown_;
    std::vector<std::int32_t> outgrown_, nearer_;
    std::vector<float> values_, of_outgrown_;  ///< of the rows that have outgrown their reach
    Panels panels_;
};

}  // namespace dsir::gais
