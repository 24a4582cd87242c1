#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "gais/exchange_losses.hpp"
#include "gais/listed_distances.hpp"
#include "gais/near_rows.hpp"
#include "gais/panels.hpp"
#include "gais/prototypes.hpp"
#include "numeric/mixed.hpp"
#include "parallel/for_ranges.hpp"
#include "simd/panels.hpp"

namespace dsir::gais {
namespace {

/// The search in one part. Rows are numbered by class, so the rows of a class are consecutive.
class Search {
  public:
    Search(const numeric::DenseRows& rows, const std::int32_t* labels, const std::uint8_t* allowed,
           const std::int32_t* members, std::int64_t size, std::int32_t* prototypes,
           std::int64_t count, float sharpness, const NearRows* near, std::int64_t part)
        : rows_(rows),
          labels_(labels),
          allowed_(allowed),
          members_(members_by_class(labels, members, size)),
          size_(size),
          prototypes_(prototypes),
          count_(static_cast<std::int32_t>(count)),
          sharpness_(sharpness),
          lists_(near),
          part_(part) {
        prototype_panels_.resize(count, rows.width);
        for (std::int32_t s = 0; s < count_; ++s) {
            prototype_panels_.set(s, rows_.values + prototypes[s] * rows_.width);
        }
        const auto n = static_cast<std::size_t>(size);
        own_.resize(n);
        other_.resize(n);
        loss_.resize(n);
        near_.resize(n);
        scanned_.resize(prototype_panels_.padded() * simd::kPointsTogether);
        for (std::int32_t s = 0; s < count_; ++s) {
            const std::int32_t of_class = labels[prototypes[s]];
            class_of_slot_.push_back(of_class);
            if (slot_runs_.empty() || slot_runs_.back().of_class != of_class) {
                slot_runs_.push_back({s, s, of_class});
            }
            slot_runs_.back().end = s + 1;
        }
        served_.resize(static_cast<std::size_t>(count));
        touched_.resize(static_cast<std::size_t>(size));
        std::iota(touched_.begin(), touched_.end(), 0);
        scan(touched_);
        std::int32_t classes = 0;
        for (std::int64_t i = 0; i < size; ++i) {
            loss_[i] = loss_of(own_.first[i], other_.first[i], sharpness_);
            for (const NearestTwo* side : {&own_, &other_}) {
                const std::int32_t nearest = side->first_slot[i];
                if (nearest >= 0) served_[nearest].push_back(static_cast<std::int32_t>(i));
            }
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
        if (lists_ != nullptr) {
            run_with_lists(settings, seed);
        } else {
            run_with_distances(settings, seed);
        }
    }

    double loss() const {
        double sum = 0;
        for (std::int64_t i = 0; i < size_; ++i) sum += static_cast<double>(loss_[i]);
        return sum;
    }

  private:
    /// A try to exchange the prototype of a slot for a row; -1 for no row.
    struct Try {
        std::int64_t number;
        std::int32_t slot;
        std::int32_t candidate;
    };

    /// Takes the distances of each candidate from the lists of near rows.
    void run_with_lists(const Exchange& settings, std::uint64_t seed) {
        const auto tries = static_cast<std::int64_t>(settings.passes * count_);
        ListedDistances listed(*lists_, part_, size_, rows_.width);
        const auto note = [&](std::int32_t i) {
            listed.note(i, own_.second[i], other_.second[i], row(i));
        };
        for (std::int32_t i = 0; i < size_; ++i) note(i);
        for (std::int64_t t = 0; t < tries; ++t) {
            const Try one = draw(settings.local, seed, t);
            if (one.candidate < 0) continue;
            const std::int32_t of_class = class_of_slot_[one.slot];
            join_served(one.slot,
                        listed.find(one.candidate, row(one.candidate), class_ends_[of_class],
                                    class_ends_[of_class + 1], own_.first.data(),
                                    other_.first.data(), near_.data()));
            if (!attempt(one, listed.values())) continue;
            for (const std::int32_t i : touched_) note(i);
        }
    }

    /// Computes the distances of each candidate to all rows.
    void run_with_distances(const Exchange& settings, std::uint64_t seed) {
        panels_.resize(size_, rows_.width);
        for (std::int64_t i = 0; i < size_; ++i) panels_.set(i, row(i));
        trials_.resize(panels_.padded() * simd::kPointsTogether);
        const auto tries = static_cast<std::int64_t>(settings.passes * count_);
        std::array<Try, simd::kPointsTogether> next{};
        std::array<const float*, simd::kPointsTogether> points{};
        std::int64_t t = 0;
        while (t < tries) {
            // What a try exchanges depends on no earlier try but those that succeed, and few do. So
            // the distances of several tries are computed at once, and those after a success again.
            std::size_t found = 0;
            std::int64_t ahead = t;
            while (ahead < tries && found < next.size()) {
                const Try one = draw(settings.local, seed, ahead++);
                if (one.candidate >= 0) next[found++] = one;
            }
            if (found == 0) return;
            for (std::size_t k = 0; k < points.size(); ++k) {
                points[k] = row(next[std::min(k, found - 1)].candidate);
            }
            panels_.distances_together(points.data(), trials_.data());
            t = ahead;
            for (std::size_t k = 0; k < found; ++k) {
                const float* const distances = trials_.data() + k * panels_.padded();
                find_touched(next[k].slot, distances);
                if (!attempt(next[k], distances)) continue;
                t = next[k].number + 1;
                break;
            }
        }
    }

    Try draw(double local, std::uint64_t seed, std::int64_t number) {
        auto draws = static_cast<std::uint64_t>(number) * 3;
        const auto uniform = [&] {
            return static_cast<double>(numeric::mixed(seed, draws++) >> 11) * 0x1p-53;
        };
        Try found = {number, static_cast<std::int32_t>(uniform() * count_), -1};
        const std::int32_t of_class = class_of_slot_[found.slot];
        const std::vector<std::int32_t>* pool = &pools_[of_class];
        if (uniform() < local) {
            cluster_.clear();
            for (const std::int32_t i : served_[found.slot]) {
                if (i < class_ends_[of_class] || i >= class_ends_[of_class + 1]) continue;
                if (allowed_[members_[i]] != 0) cluster_.push_back(i);
            }
            pool = &cluster_;
        }
        const double place = uniform();
        if (pool->empty()) return found;
        const std::int32_t candidate =
            (*pool)[static_cast<std::size_t>(place * static_cast<double>(pool->size()))];
        if (!std::binary_search(taken_.begin(), taken_.end(), members_[candidate])) {
            found.candidate = candidate;
        }
        return found;
    }

    std::int32_t label(std::int64_t i) const { return labels_[members_[i]]; }
    const float* row(std::int64_t i) const { return rows_.values + members_[i] * rows_.width; }

    /// Finds the nearest prototypes of some rows again. The distances of several rows are computed
    /// at once.
    void scan(const std::vector<std::int32_t>& some) {
        std::array<const float*, simd::kPointsTogether> points{};
        for (std::size_t first = 0; first < some.size(); first += points.size()) {
            const std::size_t found = std::min(points.size(), some.size() - first);
            for (std::size_t k = 0; k < points.size(); ++k) {
                points[k] = row(some[first + std::min(k, found - 1)]);
            }
            prototype_panels_.distances_together(points.data(), scanned_.data());
            for (std::size_t k = 0; k < found; ++k) {
                offer_all(some[first + k], scanned_.data() + k * prototype_panels_.padded());
            }
        }
    }

    /// Finds the nearest prototypes of a row by its distances to all of them.
    void offer_all(std::int64_t i, const float* distances) {
        const std::int32_t own_class = label(i);
        simd::LeastTwo own = {kFar, kFar, -1, -1};
        simd::LeastTwo other = own;
        for (const SlotRun& run : slot_runs_) {
            kernels_.offer_all(distances, run.begin, run.end,
                               run.of_class == own_class ? &own : &other);
        }
        own_.set(i, own);
        other_.set(i, other);
    }

    /// Gathers the rows whose nearest prototype would change, ascending: those nearer to the
    /// candidate than to their prototype, and those that the slot serves.
    void find_touched(std::int32_t slot, const float* distances) {
        const std::int32_t of_class = class_of_slot_[slot];
        std::int64_t near = 0;
        const auto find = [&](const NearestTwo& side, std::int64_t from, std::int64_t to) {
            near += kernels_.below(distances, side.first.data(), from, to, near_.data() + near);
        };
        find(other_, 0, class_ends_[of_class]);
        find(own_, class_ends_[of_class], class_ends_[of_class + 1]);
        find(other_, class_ends_[of_class + 1], size_);
        join_served(slot, near);
    }

    /// Adds the rows that the slot serves to the `near` rows found.
    void join_served(std::int32_t slot, std::int64_t near) {
        const std::vector<std::int32_t>& served = served_[slot];
        touched_.resize(static_cast<std::size_t>(near) + served.size());
        touched_.resize(static_cast<std::size_t>(std::set_union(near_.begin(), near_.begin() + near,
                                                                served.begin(), served.end(),
                                                                touched_.begin()) -
                                                 touched_.begin()));
    }

    /// Exchanges the prototype of a slot for the candidate, `distances` away from the rows, if this
    /// lowers the loss; returns whether it does. touched_ has the rows that may change, and those
    /// that did change if it does.
    bool attempt(const Try& one, const float* distances) {
        const std::int32_t slot = one.slot;
        const std::int32_t of_class = class_of_slot_[slot];
        const std::int64_t begin = class_ends_[of_class];
        const std::int64_t end = class_ends_[of_class + 1];
        changes_.clear(touched_.size());
        for (const std::int32_t i : touched_) {
            const bool own = i >= begin && i < end;
            const NearestTwo& side = own ? own_ : other_;
            const float nearest = std::min(distances[i], side.without(i, slot));
            if (nearest == side.first[i]) continue;
            changes_.add(own ? nearest : own_.first[i], own ? other_.first[i] : nearest, loss_[i]);
        }
        if (!(changes_.total(sharpness_) < -1e-6)) return false;
        exchange(slot, one.candidate, begin, end, distances);
        return true;
    }

    void exchange(std::int32_t slot, std::int32_t candidate, std::int64_t begin, std::int64_t end,
                  const float* distances) {
        const auto old = std::lower_bound(taken_.begin(), taken_.end(), prototypes_[slot]);
        taken_.erase(old);
        prototypes_[slot] = members_[candidate];
        prototype_panels_.set(slot, row(candidate));
        taken_.insert(std::lower_bound(taken_.begin(), taken_.end(), prototypes_[slot]),
                      prototypes_[slot]);
        touched_.clear();
        orphans_.clear();
        find_orphans(other_, 0, begin, slot, distances);
        find_orphans(own_, begin, end, slot, distances);
        find_orphans(other_, end, size_, slot, distances);
        before_.clear();
        for (const std::int32_t i : orphans_) {
            before_.push_back(own_.first_slot[i]);
            before_.push_back(other_.first_slot[i]);
        }
        scan(orphans_);
        for (std::size_t k = 0; k < orphans_.size(); ++k) {
            const std::int32_t i = orphans_[k];
            serve(i, before_[2 * k], own_.first_slot[i]);
            serve(i, before_[2 * k + 1], other_.first_slot[i]);
            touched_.push_back(i);
        }
        for (const std::int32_t i : touched_) {
            loss_[i] = loss_of(own_.first[i], other_.first[i], sharpness_);
        }
    }

    /// Offers the slot's new prototype to the rows from begin to end - 1, and gathers those that
    /// had the old one.
    void find_orphans(NearestTwo& side, std::int64_t begin, std::int64_t end, std::int32_t slot,
                      const float* distances) {
        constexpr std::int64_t kBlock = 32;
        const float* const second = side.second.data();
        const std::int32_t* const first_slot = side.first_slot.data();
        const std::int32_t* const second_slot = side.second_slot.data();
        for (std::int64_t first = begin; first < end; first += kBlock) {
            const std::int64_t last = std::min(end, first + kBlock);
            // Few rows change, so whole blocks are skipped.
            std::int32_t any = 0;
            for (std::int64_t i = first; i < last; ++i) {
                any |= static_cast<std::int32_t>(distances[i] < second[i]) |
                       static_cast<std::int32_t>(first_slot[i] == slot) |
                       static_cast<std::int32_t>(second_slot[i] == slot);
            }
            if (any == 0) continue;
            for (std::int64_t i = first; i < last; ++i) {
                if (first_slot[i] == slot || second_slot[i] == slot) {
                    orphans_.push_back(static_cast<std::int32_t>(i));
                } else if (distances[i] < second[i]) {
                    const std::int32_t before = first_slot[i];
                    side.offer(i, distances[i], slot);
                    serve(i, before, first_slot[i]);
                    touched_.push_back(static_cast<std::int32_t>(i));
                }
            }
        }
    }

    /// Notes that a row has another nearest prototype.
    void serve(std::int64_t i, std::int32_t before, std::int32_t after) {
        if (before == after) return;
        const auto row_place = static_cast<std::int32_t>(i);
        if (before >= 0) {
            std::vector<std::int32_t>& rows = served_[before];
            rows.erase(std::lower_bound(rows.begin(), rows.end(), row_place));
        }
        if (after >= 0) {
            std::vector<std::int32_t>& rows = served_[after];
            rows.insert(std::lower_bound(rows.begin(), rows.end(), row_place), row_place);
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
    std::vector<float> loss_, scanned_;
    const NearRows* lists_;  ///< null if there are none
    std::int64_t part_;
    std::vector<float> trials_;  ///< [simd::kPointsTogether, padded rows]: distances of candidates
    const simd::PanelKernels& kernels_ = simd::panel_kernels(simd::active_level());
    Changes changes_;
    std::vector<std::int32_t> class_of_slot_;
    /// Consecutive slots of one class.
    struct SlotRun {
        std::int64_t begin, end;
        std::int32_t of_class;
    };
    std::vector<SlotRun> slot_runs_;
    /// For each slot the rows of which it is the nearest on a side, ascending.
    std::vector<std::vector<std::int32_t>> served_;
    std::vector<std::int32_t> near_, touched_, orphans_, before_;
    std::vector<std::int64_t> class_ends_;
    std::vector<std::vector<std::int32_t>> pools_;  ///< places in the part, one list per class
    std::vector<std::int32_t> cluster_;
    std::vector<std::int32_t> taken_;  ///< the prototypes, in ascending order
};

}  // namespace

void exchange_prototypes(const numeric::DenseRows& rows, const std::int32_t* labels,
                         const std::uint8_t* allowed, const Parts& parts, const std::int64_t* ends,
                         std::int32_t* prototypes, double* losses, const Exchange& settings,
                         unsigned threads, const NearRows* near) {
    parallel::for_ranges(parts.count, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t g = begin; g < end; ++g) {
            Search search(rows, labels, allowed, parts.members + parts.offsets[g],
                          parts.offsets[g + 1] - parts.offsets[g], prototypes + ends[g],
                          ends[g + 1] - ends[g], static_cast<float>(settings.sharpness), near, g);
            losses[g] = search.loss();
            search.run(settings, numeric::mixed(settings.seed, static_cast<std::uint64_t>(g)));
            losses[parts.count + g] = search.loss();
        }
    });
}

}  // namespace dsir::gais
