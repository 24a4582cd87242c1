#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

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
          distances_(static_cast<std::size_t>(size), kUnknown),
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

    /// Finds the distances of a candidate, whose columns are `point` and whose class has the rows
    /// from `begin` to `end` - 1. Writes the rows nearer to it than `own` (its class) or `other`
    /// says, ascending, to `near`, which has room for all rows; returns how many there are.
    std::int64_t find(std::int32_t candidate, const float* point, std::int64_t begin,
                      std::int64_t end, const float* own, const float* other, std::int32_t* near) {
        forget();
        list_ = lists_.of(part_, candidate);
        std::int64_t found = 0;
        std::int64_t at = 0;
        const auto walk = [&](const float* bounds, std::int64_t to) {
            for (; at < list_.size && list_.places[at] < to; ++at) {
                const std::int32_t row = list_.places[at];
                distances_[row] = list_.distances[at];
                near[found] = row;
                found += list_.distances[at] < bounds[row] ? 1 : 0;
            }
        };
        walk(other, begin);
        walk(own, end);
        walk(other, std::numeric_limits<std::int64_t>::max());
        if (outgrown_.empty()) return found;
        const std::int64_t listed = found;
        panels_.distances(point, of_outgrown_.data());
        for (std::size_t k = 0; k < outgrown_.size(); ++k) {
            const std::int32_t row = outgrown_[k];
            // A row that is listed as well has the same distance there.
            const bool is_new = distances_[row] == kUnknown;
            distances_[row] = of_outgrown_[k];
            const float bound = (row >= begin && row < end ? own : other)[row];
            if (is_new && of_outgrown_[k] < bound) near[found++] = row;
        }
        if (found > listed) std::sort(near, near + found);
        return found;
    }

    /// The distances of the candidate that was found last, by row.
    const float* values() const { return distances_.data(); }

  private:
    static constexpr float kUnknown = std::numeric_limits<float>::infinity();

    void forget() {
        for (std::int64_t k = 0; k < list_.size; ++k) distances_[list_.places[k]] = kUnknown;
        for (const std::int32_t row : outgrown_) distances_[row] = kUnknown;
    }

    const NearRows& lists_;
    std::int64_t part_;
    std::int64_t width_;
    NearRows::List list_{};
    std::vector<float> distances_;
    std::vector<std::uint8_t> has_outgrown_;
    std::vector<std::int32_t> outgrown_;
    std::vector<float> values_, of_outgrown_;  ///< of the rows that have outgrown their reach
    Panels panels_;
};

}  // namespace dsir::gais
