#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/dense_products.hpp"
#include "graph/edge_attention.hpp"
#include "graph/prototypes.hpp"
#include "numeric/portable_exp_float.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::graph {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

/// The two nearest prototypes on one side of a row: of its class, or of the others.
struct NearestTwo {
    float distance[2] = {kFar, kFar};  ///< squared
    std::int32_t slot[2] = {-1, -1};

    void offer(float d, std::int32_t at) {
        if (d < distance[0]) {
            distance[1] = distance[0];
            slot[1] = slot[0];
            distance[0] = d;
            slot[0] = at;
        } else if (d < distance[1]) {
            distance[1] = d;
            slot[1] = at;
        }
    }
    bool holds(std::int32_t at) const { return slot[0] == at || slot[1] == at; }
    float without(std::int32_t at) const { return slot[0] == at ? distance[1] : distance[0]; }
};

class Search {
  public:
    Search(const DenseRows& rows, const std::int32_t* labels, const std::uint8_t* allowed,
           const std::int32_t* members, std::int64_t size, std::int32_t* prototypes,
           std::int64_t count, float sharpness)
        : rows_(rows),
          labels_(labels),
          members_(members),
          size_(size),
          prototypes_(prototypes),
          count_(static_cast<std::int32_t>(count)),
          sharpness_(sharpness) {
        const auto n = static_cast<std::size_t>(size);
        own_.resize(n);
        other_.resize(n);
        loss_.resize(n);
        trial_.resize(n);
        for (std::int64_t i = 0; i < size; ++i) {
            scan(i);
            loss_[i] = loss_of(own_[i].distance[0], other_[i].distance[0]);
        }
        std::int32_t classes = 0;
        for (std::int64_t i = 0; i < size; ++i) classes = std::max(classes, label(i) + 1);
        pools_.resize(static_cast<std::size_t>(classes));
        for (std::int64_t i = 0; i < size; ++i) {
            if (allowed[members[i]] != 0) {
                pools_[label(i)].push_back(static_cast<std::int32_t>(i));
            }
        }
        for (std::int32_t s = 0; s < count_; ++s) taken_.push_back(prototypes[s]);
        std::sort(taken_.begin(), taken_.end());
    }

    void run(const Exchange& settings, std::uint64_t seed) {
        const auto tries = static_cast<std::int64_t>(settings.passes * count_);
        std::uint64_t draws = 0;
        const auto uniform = [&] {
            return static_cast<double>(mixed(seed, draws++) >> 11) * 0x1p-53;
        };
        for (std::int64_t t = 0; t < tries; ++t) {
            const auto slot = static_cast<std::int32_t>(uniform() * count_);
            const std::int32_t of_class = labels_[prototypes_[slot]];
            const std::vector<std::int32_t>* pool = &pools_[of_class];
            if (uniform() < settings.local) {
                cluster_.clear();
                for (const std::int32_t i : pools_[of_class]) {
                    if (own_[i].slot[0] == slot) cluster_.push_back(i);
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
        for (const float one : loss_) sum += static_cast<double>(one);
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
        own_[i] = {};
        other_[i] = {};
        for (std::int32_t s = 0; s < count_; ++s) {
            const float d =
                squared_distance(row(i), rows_.values + prototypes_[s] * rows_.width, rows_.width);
            (labels_[prototypes_[s]] == label(i) ? own_[i] : other_[i]).offer(d, s);
        }
    }

    void attempt(std::int32_t slot, std::int32_t candidate) {
        const std::int32_t of_class = label(candidate);
        double change = 0;
        for (std::int64_t i = 0; i < size_; ++i) {
            const float d = squared_distance(row(i), row(candidate), rows_.width);
            trial_[i] = d;
            const bool same = label(i) == of_class;
            const NearestTwo& side = same ? own_[i] : other_[i];
            const float nearest = std::min(d, side.without(slot));
            if (nearest == side.distance[0]) continue;
            const float after = same ? loss_of(nearest, other_[i].distance[0])
                                     : loss_of(own_[i].distance[0], nearest);
            change += static_cast<double>(after) - static_cast<double>(loss_[i]);
        }
        if (!(change < -1e-6)) return;
        const auto old = std::lower_bound(taken_.begin(), taken_.end(), prototypes_[slot]);
        taken_.erase(old);
        prototypes_[slot] = members_[candidate];
        taken_.insert(std::lower_bound(taken_.begin(), taken_.end(), prototypes_[slot]),
                      prototypes_[slot]);
        for (std::int64_t i = 0; i < size_; ++i) {
            NearestTwo& side = label(i) == of_class ? own_[i] : other_[i];
            if (side.holds(slot)) {
                scan(i);
            } else if (trial_[i] < side.distance[1]) {
                side.offer(trial_[i], slot);
            } else {
                continue;
            }
            loss_[i] = loss_of(own_[i].distance[0], other_[i].distance[0]);
        }
    }

    const DenseRows rows_;
    const std::int32_t* labels_;
    const std::int32_t* members_;
    std::int64_t size_;
    std::int32_t* prototypes_;
    std::int32_t count_;
    float sharpness_;
    std::vector<NearestTwo> own_, other_;
    std::vector<float> loss_, trial_;
    std::vector<std::vector<std::int32_t>> pools_;  ///< places in the part, by class
    std::vector<std::int32_t> cluster_;
    std::vector<std::int32_t> taken_;  ///< prototypes in order
};

}  // namespace

void exchange_prototypes(const DenseRows& rows, const std::int32_t* labels,
                         const std::uint8_t* allowed, const Parts& parts, const std::int64_t* ends,
                         std::int32_t* prototypes, double* losses, const Exchange& settings,
                         unsigned threads) {
    parallel::for_ranges(parts.count, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t g = begin; g < end; ++g) {
            Search search(rows, labels, allowed, parts.members + parts.offsets[g],
                          parts.offsets[g + 1] - parts.offsets[g], prototypes + ends[g],
                          ends[g + 1] - ends[g], static_cast<float>(settings.sharpness));
            losses[g] = search.loss();
            search.run(settings, mixed(settings.seed, static_cast<std::uint64_t>(g)));
            losses[parts.count + g] = search.loss();
        }
    });
}

}  // namespace dsir::graph
