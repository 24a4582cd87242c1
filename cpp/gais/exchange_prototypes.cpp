#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "gais/panels.hpp"
#include "gais/prototypes.hpp"
#include "numeric/mixed.hpp"
#include "numeric/portable_exp_float.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::gais {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

/// For every row, the two nearest prototypes on one side: of the row's own class, or of all others.
struct NearestTwo {
    std::vector<float> first, second;  ///< squared distances
    std::vector<std::int32_t> first_slot, second_slot;

    void resize(std::size_t size) {
        first.resize(size);
        second.resize(size);
        first_slot.resize(size);
        second_slot.resize(size);
    }
    void clear(std::int64_t i) {
        first[i] = second[i] = kFar;
        first_slot[i] = second_slot[i] = -1;
    }
    void offer(std::int64_t i, float d, std::int32_t slot) {
        if (d < first[i]) {
            second[i] = first[i];
            second_slot[i] = first_slot[i];
            first[i] = d;
            first_slot[i] = slot;
        } else if (d < second[i]) {
            second[i] = d;
            second_slot[i] = slot;
        }
    }
    float without(std::int64_t i, std::int32_t slot) const {
        return first_slot[i] == slot ? second[i] : first[i];
    }
};

/// The search in one part. Rows are numbered by class, so the rows of a class are consecutive.
class Search {
  public:
    Search(const numeric::DenseRows& rows, const std::int32_t* labels, const std::uint8_t* allowed,
           const std::int32_t* members, std::int64_t size, std::int32_t* prototypes,
           std::int64_t count, float sharpness)
        : rows_(rows),
          labels_(labels),
          allowed_(allowed),
          members_(members, members + size),
          size_(size),
          prototypes_(prototypes),
          count_(static_cast<std::int32_t>(count)),
          sharpness_(sharpness) {
        std::stable_sort(
            members_.begin(), members_.end(),
            [labels](std::int32_t a, std::int32_t b) { return labels[a] < labels[b]; });
        panels_.resize(size, rows.width);
        for (std::int64_t i = 0; i < size; ++i) panels_.set(i, row(i));
        prototype_panels_.resize(count, rows.width);
        for (std::int32_t s = 0; s < count_; ++s) {
            prototype_panels_.set(s, rows_.values + prototypes[s] * rows_.width);
        }
        const std::size_t n = panels_.padded();
        own_.resize(n);
        other_.resize(n);
        loss_.resize(n);
        trial_.resize(n);
        scanned_.resize(prototype_panels_.padded());
        std::int32_t classes = 0;
        for (std::int64_t i = 0; i < size; ++i) {
            scan(i);
            loss_[i] = loss_of(own_.first[i], other_.first[i]);
            classes = std::max(classes, label(i) + 1);
        }
        class_ends_.assign(static_cast<std::size_t>(classes) + 1, 0);
        for (std::int64_t i = 0; i < size; ++i) ++class_ends_[label(i) + 1];
        for (std::int32_t c = 0; c < classes; ++c) class_ends_[c + 1] += class_ends_[c];
        pools_.resize(static_cast<std::size_t>(classes));
        for (std::int64_t i = 0; i < size; ++i) {
            if (allowed[members_[i]] != 0) {
                pools_[label(i)].push_back(static_cast<std::int32_t>(i));
            }
        }
        taken_.assign(prototypes, prototypes + count);
        std::sort(taken_.begin(), taken_.end());
    }

    void run(const Exchange& settings, std::uint64_t seed) {
        const auto tries = static_cast<std::int64_t>(settings.passes * count_);
        std::uint64_t draws = 0;
        const auto uniform = [&] {
            return static_cast<double>(numeric::mixed(seed, draws++) >> 11) * 0x1p-53;
        };
        for (std::int64_t t = 0; t < tries; ++t) {
            const auto slot = static_cast<std::int32_t>(uniform() * count_);
            const std::int32_t of_class = labels_[prototypes_[slot]];
            const std::vector<std::int32_t>* pool = &pools_[of_class];
            if (uniform() < settings.local) {
                cluster_.clear();
                for (std::int64_t i = class_ends_[of_class]; i < class_ends_[of_class + 1]; ++i) {
                    if (own_.first_slot[i] == slot && allowed_[members_[i]] != 0) {
                        cluster_.push_back(static_cast<std::int32_t>(i));
                    }
                }
                pool = &cluster_;
            }
            const double place = uniform();
            if (pool->empty()) continue;
            const std::int32_t candidate =
                (*pool)[static_cast<std::size_t>(place * static_cast<double>(pool->size()))];
            if (std::binary_search(taken_.begin(), taken_.end(), members_[candidate])) continue;
            attempt(slot, candidate);
        }
    }

    double loss() const {
        double sum = 0;
        for (std::int64_t i = 0; i < size_; ++i) sum += static_cast<double>(loss_[i]);
        return sum;
    }

  private:
    std::int32_t label(std::int64_t i) const { return labels_[members_[i]]; }
    const float* row(std::int64_t i) const { return rows_.values + members_[i] * rows_.width; }

    float loss_of(float own, float other) const {
        if (other == kFar) return 0.0F;
        if (own == kFar) return 1.0F;
        const float a = std::sqrt(own);
        const float b = std::sqrt(other);
        const float balance = a + b > 0 ? (a - b) / (a + b) : 0.0F;
        return 1.0F / (1.0F + numeric::portable_exp_float(-sharpness_ * balance));
    }

    void scan(std::int64_t i) {
        own_.clear(i);
        other_.clear(i);
        prototype_panels_.distances(row(i), scanned_.data());
        for (std::int32_t s = 0; s < count_; ++s) {
            NearestTwo& side = labels_[prototypes_[s]] == label(i) ? own_ : other_;
            if (scanned_[s] < side.second[i]) side.offer(i, scanned_[s], s);
        }
    }

    /// Calls body(i) for the rows from begin to end - 1 whose nearest prototype on a side would
    /// change.
    template <class Body>
    void each_touched(const NearestTwo& side, std::int64_t begin, std::int64_t end,
                      std::int32_t slot, Body&& body) const {
        constexpr std::int64_t kBlock = 32;
        const float* const d = trial_.data();
        const float* const nearest = side.first.data();
        const std::int32_t* const of_slot = side.first_slot.data();
        for (std::int64_t first = begin; first < end; first += kBlock) {
            const std::int64_t last = std::min(end, first + kBlock);
            // Few rows would change, so whole blocks are skipped.
            std::int32_t any = 0;
            for (std::int64_t i = first; i < last; ++i) {
                any |= static_cast<std::int32_t>(d[i] < nearest[i]) |
                       static_cast<std::int32_t>(of_slot[i] == slot);
            }
            if (any == 0) continue;
            for (std::int64_t i = first; i < last; ++i) {
                if (d[i] < nearest[i] || of_slot[i] == slot) body(i);
            }
        }
    }

    void attempt(std::int32_t slot, std::int32_t candidate) {
        const std::int32_t of_class = label(candidate);
        const std::int64_t begin = class_ends_[of_class];
        const std::int64_t end = class_ends_[of_class + 1];
        panels_.distances(row(candidate), trial_.data());
        double change = 0;
        const auto add = [&](std::int64_t i, float after) {
            change += static_cast<double>(after) - static_cast<double>(loss_[i]);
        };
        const auto other_changes = [&](std::int64_t i) {
            const float nearest = std::min(trial_[i], other_.without(i, slot));
            if (nearest != other_.first[i]) add(i, loss_of(own_.first[i], nearest));
        };
        each_touched(other_, 0, begin, slot, other_changes);
        each_touched(own_, begin, end, slot, [&](std::int64_t i) {
            const float nearest = std::min(trial_[i], own_.without(i, slot));
            if (nearest != own_.first[i]) add(i, loss_of(nearest, other_.first[i]));
        });
        each_touched(other_, end, size_, slot, other_changes);
        if (!(change < -1e-6)) return;
        const auto old = std::lower_bound(taken_.begin(), taken_.end(), prototypes_[slot]);
        taken_.erase(old);
        prototypes_[slot] = members_[candidate];
        prototype_panels_.set(slot, row(candidate));
        taken_.insert(std::lower_bound(taken_.begin(), taken_.end(), prototypes_[slot]),
                      prototypes_[slot]);
        for (std::int64_t i = 0; i < size_; ++i) {
            NearestTwo& side = i >= begin && i < end ? own_ : other_;
            if (side.first_slot[i] == slot || side.second_slot[i] == slot) {
                scan(i);
            } else if (trial_[i] < side.second[i]) {
                side.offer(i, trial_[i], slot);
            } else {
                continue;
            }
            loss_[i] = loss_of(own_.first[i], other_.first[i]);
        }
    }

    const numeric::DenseRows rows_;
    const std::int32_t* labels_;
    const std::uint8_t* allowed_;
    std::vector<std::int32_t> members_;  ///< by class
    std::int64_t size_;
    std::int32_t* prototypes_;
    std::int32_t count_;
    float sharpness_;
    Panels panels_, prototype_panels_;
    NearestTwo own_, other_;
    std::vector<float> loss_, trial_, scanned_;
    std::vector<std::int64_t> class_ends_;
    std::vector<std::vector<std::int32_t>> pools_;  ///< places in the part, one list per class
    std::vector<std::int32_t> cluster_;
    std::vector<std::int32_t> taken_;  ///< the prototypes, in ascending order
};

}  // namespace

void exchange_prototypes(const numeric::DenseRows& rows, const std::int32_t* labels,
                         const std::uint8_t* allowed, const Parts& parts, const std::int64_t* ends,
                         std::int32_t* prototypes, double* losses, const Exchange& settings,
                         unsigned threads) {
    parallel::for_ranges(parts.count, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t g = begin; g < end; ++g) {
            Search search(rows, labels, allowed, parts.members + parts.offsets[g],
                          parts.offsets[g + 1] - parts.offsets[g], prototypes + ends[g],
                          ends[g + 1] - ends[g], static_cast<float>(settings.sharpness));
            losses[g] = search.loss();
            search.run(settings, numeric::mixed(settings.seed, static_cast<std::uint64_t>(g)));
            losses[parts.count + g] = search.loss();
        }
    });
}

}  // namespace dsir::gais
