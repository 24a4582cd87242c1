#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace dsir::gais {

/// The prototypes of a part by slot, and their places among the part's rows.
///
/// If a prototype is no row of the part, or is there twice, no prototype has a place.
class PrototypeSlots {
  public:
    /// `prototypes` are changed in place by exchanges.
    PrototypeSlots(const std::vector<std::int32_t>& members, std::int32_t* prototypes,
                   std::int64_t count)
        : members_(members),
          prototypes_(prototypes),
          taken_(prototypes, prototypes + count),
          places_(static_cast<std::size_t>(count), static_cast<std::int32_t>(members.size())),
          slots_(members.size() + 1, -1) {
        std::sort(taken_.begin(), taken_.end());
        std::vector<std::int32_t> place_of_taken(taken_.size(), -1);
        for (std::size_t i = 0; i < members.size(); ++i) {
            const auto at = std::lower_bound(taken_.begin(), taken_.end(), members[i]);
            if (at != taken_.end() && *at == members[i]) {
                place_of_taken[at - taken_.begin()] = static_cast<std::int32_t>(i);
            }
        }
        for (std::int32_t s = 0; s < count; ++s) {
            const auto at = std::lower_bound(taken_.begin(), taken_.end(), prototypes[s]);
            const std::int32_t place = place_of_taken[at - taken_.begin()];
            are_placed_ = are_placed_ && place >= 0 && slots_[place] < 0;
            if (!are_placed_) continue;
            places_[s] = place;
            slots_[place] = s;
        }
    }
    // members_ refers to the owner.
    PrototypeSlots(const PrototypeSlots&) = delete;
    PrototypeSlots& operator=(const PrototypeSlots&) = delete;

    std::int32_t prototype(std::int32_t slot) const { return prototypes_[slot]; }
    /// Whether the row at a place is a prototype.
    bool has(std::int32_t place) const {
        return std::binary_search(taken_.begin(), taken_.end(), members_[place]);
    }
    bool are_placed() const { return are_placed_; }
    /// By slot, the place of its prototype.
    const std::int32_t* places() const { return places_.data(); }
    /// By place, the slot of the row there, -1 if it is no prototype; and -1 once more at the end.
    const std::int32_t* of_places() const { return slots_.data(); }

    /// Gives a slot the row at a place, which is no prototype.
    void exchange(std::int32_t slot, std::int32_t place) {
        taken_.erase(std::lower_bound(taken_.begin(), taken_.end(), prototypes_[slot]));
        prototypes_[slot] = members_[place];
        taken_.insert(std::lower_bound(taken_.begin(), taken_.end(), prototypes_[slot]),
                      prototypes_[slot]);
        slots_[places_[slot]] = -1;
        places_[slot] = place;
        slots_[place] = slot;
    }

  private:
    const std::vector<std::int32_t>& members_;
    std::int32_t* prototypes_;
    std::vector<std::int32_t> taken_;  ///< the prototypes, ascending
    std::vector<std::int32_t> places_, slots_;
    bool are_placed_ = true;
};

}  // namespace dsir::gais
