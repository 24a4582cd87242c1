#include <algorithm>
#include <limits>

#include "gais/panels.hpp"
#include "gais/prototypes.hpp"
#include "numeric/mixed.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::gais {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

/// Clusters one part after the other. Scratch memory is kept from part to part.
class Clustering {
  public:
    explicit Clustering(const numeric::DenseRows& rows) : rows_(rows) {}

    void run(const std::int32_t* members, std::int64_t size, std::int64_t k,
             std::int64_t iterations, std::uint64_t seed, std::int32_t* out) {
        members_ = members;
        size_ = size;
        k_ = k;
        if (k == 0) return;
        if (k >= size) {
            std::copy(members, members + size, out);
            return;
        }
        own_.resize(size, rows_.width);
        for (std::int64_t i = 0; i < size; ++i) own_.set(i, row(i));
        place_seeds(seed);
        for (std::int64_t step = 0; step < iterations && assign(step == 0); ++step) move_centres();
        snap(out);
    }

  private:
    const float* row(std::int64_t at) const { return rows_.values + members_[at] * rows_.width; }
    float* centre(std::int64_t c) { return centres_.data() + c * rows_.width; }

    /// k-means++: draws each seed by squared distance, and takes the best of a few draws.
    void place_seeds(std::uint64_t seed) {
        const auto n = static_cast<std::size_t>(size_);
        centres_.resize(static_cast<std::size_t>(k_ * rows_.width));
        distance_.assign(n, kFar);
        sums_to_.resize(n);
        std::int64_t tries = 2;
        for (std::int64_t k = k_; k > 1; k >>= 2) ++tries;
        std::uint64_t draws = 0;
        for (std::int64_t c = 0; c < k_; ++c) {
            double total = 0;
            for (std::size_t i = 0; i < n; ++i) {
                total += c == 0 ? 1.0 : static_cast<double>(distance_[i]);
                sums_to_[i] = total;
            }
            drawn_.clear();
            for (std::int64_t t = 0; t < (c == 0 ? 1 : tries); ++t) {
                const double uniform =
                    static_cast<double>(numeric::mixed(seed, draws++) >> 11) * 0x1p-53 * total;
                drawn_.push_back(std::upper_bound(sums_to_.begin(), sums_to_.end() - 1, uniform) -
                                 sums_to_.begin());
            }
            const std::int64_t chosen = best_of_drawn();
            for (std::int64_t i = 0; i < size_; ++i) {
                distance_[i] = std::min(distance_[i], kept_[i]);
            }
            std::copy(row(chosen), row(chosen) + rows_.width, centre(c));
        }
    }

    /// Returns the drawn row that leaves the least sum of squared distances, the first one among
    /// equals. Writes the distances to this row to kept_.
    std::int64_t best_of_drawn() {
        constexpr std::int64_t kTogether = simd::kPointsTogether;
        const std::size_t padded = own_.padded();
        trials_.resize(padded * kTogether);
        kept_.resize(padded);
        const auto count = static_cast<std::int64_t>(drawn_.size());
        std::int64_t chosen = -1;
        double least = 0;
        for (std::int64_t first = 0; first < count; first += kTogether) {
            const float* points[kTogether];
            for (std::int64_t k = 0; k < kTogether; ++k) {
                points[k] = row(drawn_[std::min(first + k, count - 1)]);
            }
            own_.distances_together(points, trials_.data());
            // A sum waits for its last addition, so several are taken side by side.
            double left[kTogether] = {};
            for (std::int64_t i = 0; i < size_; ++i) {
                for (std::int64_t k = 0; k < kTogether; ++k) {
                    const float away = trials_[static_cast<std::size_t>(k) * padded + i];
                    left[k] += static_cast<double>(std::min(distance_[i], away));
                }
            }
            for (std::int64_t k = 0; k < std::min(kTogether, count - first); ++k) {
                if (chosen >= 0 && !(left[k] < least)) continue;
                chosen = drawn_[first + k];
                least = left[k];
                std::copy_n(trials_.begin() + k * static_cast<std::int64_t>(padded), padded,
                            kept_.begin());
            }
        }
        return chosen;
    }

    /// Assigns each row to its nearest centre. Returns whether a row changed its centre.
    bool assign(bool is_first) {
        if (is_first) {
            nearest_.assign(static_cast<std::size_t>(size_), -1);
            centre_panels_.resize(k_, rows_.width);
            moved_.clear();
            for (std::int64_t c = 0; c < k_; ++c) {
                moved_.push_back(static_cast<std::int32_t>(c));
            }
            has_moved_.assign(static_cast<std::size_t>(k_), 1);
        }
        const auto moved = static_cast<std::int64_t>(moved_.size());
        moved_panels_.resize(moved, rows_.width);
        for (std::int64_t m = 0; m < moved; ++m) {
            centre_panels_.set(moved_[m], centre(moved_[m]));
            moved_panels_.set(m, centre(moved_[m]));
        }
        bool changed = false;
        for (std::int64_t i = 0; i < size_; ++i) {
            const std::int32_t before = nearest_[i];
            if (before >= 0 && moved == 0) break;
            float least = kFar;
            std::int32_t best = moved_[moved_panels_.nearest(row(i), least)];
            // The centres that stayed are no nearer than the nearest one was.
            if (before >= 0 && has_moved_[before] == 0) {
                if (least > distance_[i] || (least == distance_[i] && before < best)) continue;
            } else if (before >= 0 && !(least < distance_[i])) {
                best = centre_panels_.nearest(row(i), least);
            }
            changed = changed || before != best;
            nearest_[i] = best;
            distance_[i] = least;
        }
        return changed;
    }

    /// A centre without rows stays where it is.
    void move_centres() {
        sums_.assign(centres_.size(), 0.0);
        counts_.assign(static_cast<std::size_t>(k_), 0);
        for (std::int64_t i = 0; i < size_; ++i) {
            double* const sum = sums_.data() + nearest_[i] * rows_.width;
            for (std::int64_t f = 0; f < rows_.width; ++f) {
                sum[f] += static_cast<double>(row(i)[f]);
            }
            ++counts_[nearest_[i]];
        }
        moved_.clear();
        for (std::int64_t c = 0; c < k_; ++c) {
            has_moved_[c] = 0;
            if (counts_[c] == 0) continue;
            for (std::int64_t f = 0; f < rows_.width; ++f) {
                const auto to = static_cast<float>(sums_[c * rows_.width + f] /
                                                   static_cast<double>(counts_[c]));
                if (centre(c)[f] != to) has_moved_[c] = 1;
                centre(c)[f] = to;
            }
            if (has_moved_[c] != 0) moved_.push_back(static_cast<std::int32_t>(c));
        }
    }

    void snap(std::int32_t* out) {
        std::vector<std::uint8_t> taken(static_cast<std::size_t>(size_), 0);
        for (std::int64_t c = 0; c < k_; ++c) {
            std::int64_t best = -1;
            float least = kFar;
            own_.distances(centre(c), kept_.data());
            for (std::int64_t i = 0; i < size_; ++i) {
                if (taken[i] != 0) continue;
                if (best < 0 || kept_[i] < least) {
                    least = kept_[i];
                    best = i;
                }
            }
            taken[best] = 1;
            out[c] = members_[best];
        }
    }

    const numeric::DenseRows rows_;
    const std::int32_t* members_ = nullptr;
    std::int64_t size_ = 0;
    std::int64_t k_ = 0;
    Panels own_, centre_panels_, moved_panels_;
    std::vector<float> centres_, distance_, trials_, kept_;
    std::vector<double> sums_to_;      ///< sums of the distances up to each row
    std::vector<std::int64_t> drawn_;  ///< rows drawn as a seed
    std::vector<std::int32_t> nearest_;
    std::vector<std::int32_t> moved_;  ///< the centres that the last step moved, ascending
    std::vector<std::uint8_t> has_moved_;
    std::vector<double> sums_;
    std::vector<std::int64_t> counts_;
};

}  // namespace

std::vector<std::int32_t> cluster_prototypes(const numeric::DenseRows& rows, const Parts& parts,
                                             const std::int64_t* wanted, std::int64_t iterations,
                                             std::uint64_t seed, unsigned threads) {
    std::vector<std::int64_t> ends(static_cast<std::size_t>(parts.count) + 1, 0);
    for (std::int64_t g = 0; g < parts.count; ++g) ends[g + 1] = ends[g] + wanted[g];
    std::vector<std::int32_t> chosen(static_cast<std::size_t>(ends.back()));
    parallel::for_ranges(parts.count, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        Clustering clustering(rows);
        for (std::int64_t g = begin; g < end; ++g) {
            clustering.run(parts.members + parts.offsets[g],
                           parts.offsets[g + 1] - parts.offsets[g], wanted[g], iterations,
                           numeric::mixed(seed, static_cast<std::uint64_t>(g)),
                           chosen.data() + ends[g]);
        }
    });
    return chosen;
}

}  // namespace dsir::gais
