#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <vector>

#include "gais/exchange_losses.hpp"
#include "gais/exchange_tries.hpp"
#include "gais/few_nearest.hpp"
#include "gais/listed_distances.hpp"
#include "gais/near_rows.hpp"
#include "gais/panels.hpp"
#include "gais/prototype_sides.hpp"
#include "gais/prototype_slots.hpp"
#include "gais/prototypes.hpp"
#include "gais/row_marks.hpp"
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
          members_(members_by_class(labels, members, size)),
          size_(size),
          count_(static_cast<std::int32_t>(count)),
          slots_(members_, prototypes, count),
          tries_(members_, labels, allowed, count_),
          sharpness_(sharpness) {
        if (near != nullptr) listed_.emplace(*near, part, size, rows.width);
        prototype_panels_.resize(count, rows.width);
        for (std::int32_t s = 0; s < count_; ++s) {
            prototype_panels_.set(s, rows_.values + prototypes[s] * rows_.width);
        }
        const auto n = static_cast<std::size_t>(size);
        own_.resize(n);
        other_.resize(n);
        loss_.resize(n);
        after_.resize(n);
        near_.resize(n);
        orphans_.resize(n);
        few_own_.resize(size);
        few_other_.resize(size);
        marks_.resize(size);
        scanned_.resize(prototype_panels_.padded() * simd::kPointsTogether);
        for (std::int32_t s = 0; s < count_; ++s) {
            sides_.add(labels[prototypes[s]]);
        }
        served_.resize(static_cast<std::size_t>(count));
        touched_.resize(n);
        std::iota(touched_.begin(), touched_.end(), 0);
        scan(touched_);
        for (std::int64_t i = 0; i < size; ++i) {
            loss_[i] = loss_of(own_.first[i], other_.first[i], sharpness_);
            for (const NearestTwo* side : {&own_, &other_}) {
                const std::int32_t nearest = side->first_slot[i];
                if (nearest >= 0) served_[nearest].push_back(static_cast<std::int32_t>(i));
            }
        }
    }

    void run(const Exchange& settings, std::uint64_t seed) {
        if (listed_) {
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
    static constexpr std::int64_t kAhead = 8;  ///< how far ahead memory is asked for

    /// Takes the distances of each candidate from the lists of near rows.
    void run_with_lists(const Exchange& settings, std::uint64_t seed) {
        const auto tries = static_cast<std::int64_t>(settings.passes * count_);
        const auto note = [&](std::int32_t i) {
            listed_->note(i, own_.second[i], other_.second[i], row(i));
        };
        for (std::int32_t i = 0; i < size_; ++i) note(i);
        // A list is seldom in the cache, so the next try is drawn ahead, and again after a success.
        Try next = {};
        if (tries > 0) next = draw(settings.local, seed, 0);
        for (std::int64_t t = 0; t < tries; ++t) {
            const Try one = next;
            if (t + 1 < tries) next = draw(settings.local, seed, t + 1);
            if (next.candidate >= 0) listed_->prefetch(next.candidate);
            if (one.candidate < 0) continue;
            const Rows of_class = rows_of_class(one.slot);
            begin_try(one.slot);
            listed_->find(one.candidate, row(one.candidate), of_class.begin, of_class.end,
                          own_.first.data(), other_.first.data(),
                          [&](std::int32_t i, float distance) { offer(i, distance); });
            if (!lowers_loss(one.slot)) continue;
            listed_->with_distances([&](const float* distances) { exchange(one, distances); });
            for (const std::int32_t i : touched_) note(i);
            if (t + 1 < tries) next = draw(settings.local, seed, t + 1);
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
                begin_try(next[k].slot);
                const Rows of_class = rows_of_class(next[k].slot);
                const auto offer_near = [&](const NearestTwo& side, Rows rows) {
                    const std::int64_t near = kernels_.below(distances, side.first.data(),
                                                             rows.begin, rows.end, near_.data());
                    for (std::int64_t n = 0; n < near; ++n) offer(near_[n], distances[near_[n]]);
                };
                offer_near(other_, {0, of_class.begin});
                offer_near(own_, of_class);
                offer_near(other_, {of_class.end, size_});
                if (!lowers_loss(next[k].slot)) continue;
                exchange(next[k], distances);
                t = next[k].number + 1;
                break;
            }
        }
    }

    Try draw(double local, std::uint64_t seed, std::int64_t number) {
        return tries_.draw(local, seed, number, slots_, served_);
    }

    std::int32_t label_of_slot(std::int32_t slot) const { return labels_[slots_.prototype(slot)]; }
    std::int32_t label(std::int64_t i) const { return labels_[members_[i]]; }
    const float* row(std::int64_t i) const { return rows_.values + members_[i] * rows_.width; }

    /// The rows of the class of a slot's prototype.
    Rows rows_of_class(std::int32_t slot) const {
        return tries_.rows_of_class(label_of_slot(slot));
    }

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
        sides_.divide(distances, label(i));
        const bool is_limited = listed_ && !listed_->has_outgrown(i);
        const float own_most = is_limited ? listed_->own_reach(i) : kFar;
        const float other_most = is_limited ? listed_->other_reach(i) : kFar;
        few_own_.fill(i, sides_.own(), sides_.panels(), slots_.places(),
                      slots_.are_placed() ? own_most : 0);
        few_other_.fill(i, sides_.other(), sides_.panels(), slots_.places(),
                        slots_.are_placed() ? other_most : 0);
        simd::LeastTwo least{};
        if (!few_own_.two_nearest(i, slots_.of_places(), least)) least = least_two(sides_.own());
        own_.set(i, least);
        if (!few_other_.two_nearest(i, slots_.of_places(), least))
            least = least_two(sides_.other());
        other_.set(i, least);
    }
    simd::LeastTwo least_two(const float* distances) const {
        simd::LeastTwo least = {kFar, kFar, -1, -1};
        kernels_.offer_all(distances, 0, count_, &least);
        return least;
    }

    /// Begins a try without the prototype of a slot. The rows that it serves have their second
    /// nearest prototype then.
    void begin_try(std::int32_t slot) {
        const Rows of_class = rows_of_class(slot);
        served_before_.clear();
        for (const std::int32_t i : served_[slot]) {
            NearestTwo& side = of_class.has(i) ? own_ : other_;
            served_before_.push_back(side.first[i]);
            side.first[i] = after_[i] = side.second[i];
            marks_.add(i);
        }
    }

    /// Offers a row the candidate of the try, which is nearer than its nearest prototype.
    void offer(std::int32_t i, float distance) {
        after_[i] = distance;
        marks_.add(i);
    }

    /// Ends a try, and returns whether it lowers the loss.
    bool lowers_loss(std::int32_t slot) {
        const Rows of_class = rows_of_class(slot);
        const std::vector<std::int32_t>& served = served_[slot];
        for (std::size_t k = 0; k < served.size(); ++k) {
            (of_class.has(served[k]) ? own_ : other_).first[served[k]] = served_before_[k];
        }
        auto changes = changes_.begin(static_cast<std::size_t>(size_));
        marks_.drain([of_class, changes = &changes, own_first = own_.first.data(),
                      other_first = other_.first.data(), loss = loss_.data(),
                      all_after = after_.data()](std::int64_t i) {
            const bool own = of_class.has(i);
            const float after = all_after[i];
            const float before = own ? own_first[i] : other_first[i];
            changes->add(own ? after : own_first[i], own ? other_first[i] : after, loss[i],
                         after != before);
        });
        changes_.end(changes);
        return changes_.total(sharpness_) < -1e-6;
    }

    /// Exchanges the prototype of a slot for the candidate, `distances` away from the rows. The
    /// rows that change are in touched_ then.
    void exchange(const Try& one, const float* distances) {
        const std::int32_t slot = one.slot;
        slots_.exchange(slot, one.candidate);
        prototype_panels_.set(slot, row(one.candidate));
        touched_.clear();
        strangers_.clear();
        const Rows of_class = rows_of_class(slot);
        exchange_within(other_, few_other_, {0, of_class.begin}, slot, distances);
        exchange_within(own_, few_own_, of_class, slot, distances);
        exchange_within(other_, few_other_, {of_class.end, size_}, slot, distances);
        before_.clear();
        for (const std::int32_t i : strangers_) {
            before_.push_back(own_.first_slot[i]);
            before_.push_back(other_.first_slot[i]);
        }
        scan(strangers_);
        for (std::size_t k = 0; k < strangers_.size(); ++k) {
            const std::int32_t i = strangers_[k];
            serve(i, before_[2 * k], own_.first_slot[i]);
            serve(i, before_[2 * k + 1], other_.first_slot[i]);
            touched_.push_back(i);
        }
        for (const std::int32_t i : touched_) {
            loss_[i] = loss_of(own_.first[i], other_.first[i], sharpness_);
        }
    }

    /// Offers the slot's new prototype to some rows, and finds the nearest prototypes of those that
    /// had the old one. Gathers the rows that do not know enough prototypes for that.
    void exchange_within(NearestTwo& side, FewNearest& few, Rows rows, std::int32_t slot,
                         const float* distances) {
        std::int64_t near =
            kernels_.below(distances, few.bounds(), rows.begin, rows.end, near_.data());
        for (std::int64_t k = 0; k < near; ++k) {
            if (k + kAhead < near) few.prefetch(near_[k + kAhead]);
            few.offer(near_[k], slots_.places()[slot], distances[near_[k]], slots_.of_places());
        }
        const std::int64_t orphans =
            kernels_.either_equal(side.first_slot.data(), side.second_slot.data(), slot, rows.begin,
                                  rows.end, orphans_.data());
        near = kernels_.below(distances, side.second.data(), rows.begin, rows.end, near_.data());
        for (std::int64_t k = 0; k < near; ++k) {
            const std::int32_t i = near_[k];
            const std::int32_t before = side.first_slot[i];
            if (before == slot || side.second_slot[i] == slot) continue;
            side.offer(i, distances[i], slot);
            serve(i, before, side.first_slot[i]);
            touched_.push_back(i);
        }
        for (std::int64_t k = 0; k < orphans; ++k) {
            if (k + kAhead < orphans) {
                few_own_.prefetch(orphans_[k + kAhead]);
                few_other_.prefetch(orphans_[k + kAhead]);
            }
            const std::int32_t i = orphans_[k];
            simd::LeastTwo own{}, other{};
            if (!few_own_.two_nearest(i, slots_.of_places(), own) ||
                !few_other_.two_nearest(i, slots_.of_places(), other)) {
                strangers_.push_back(i);
                continue;
            }
            serve(i, own_.first_slot[i], own.first_number);
            serve(i, other_.first_slot[i], other.first_number);
            own_.set(i, own);
            other_.set(i, other);
            touched_.push_back(i);
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
    std::vector<std::int32_t> members_;  ///< by class
    std::int64_t size_;
    std::int32_t count_;
    PrototypeSlots slots_;
    ExchangeTries tries_;
    float sharpness_;
    Panels panels_, prototype_panels_;
    NearestTwo own_, other_;
    FewNearest few_own_, few_other_;
    std::vector<float> loss_, scanned_;
    PrototypeSides sides_;
    std::optional<ListedDistances> listed_;  ///< if there are lists
    std::vector<float> trials_;  ///< [simd::kPointsTogether, padded rows]: distances of candidates
    const simd::PanelKernels& kernels_ = simd::panel_kernels(simd::active_level());
    Changes changes_;
    /// For each slot the rows of which it is the nearest on a side, ascending.
    std::vector<std::vector<std::int32_t>> served_;
    std::vector<std::int32_t> near_, touched_, orphans_, strangers_, before_;
    RowMarks marks_;            ///< the rows of a try
    std::vector<float> after_;  ///< for these, the squared distance on the side of the try's class
    std::vector<float> served_before_;
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
