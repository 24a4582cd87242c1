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
        for (std::int64_t step = 0; step < iterations && assign(); ++step) move_centres();
        snap(out);
    }

  private:
    const float* row(std::int64_t at) const { return rows_.values + members_[at] * rows_.width; }
    float* centre(std::int64_t c) { return centres_.data() + c * rows_.width; }

    /// k-means++: draws each seed by squared distance, and takes the best of a few draws.
    void place_seeds(std::uint64_t seed) {
        const auto n = static_cast<std::size_t>(size_);
        centres_.resize(static_cast<std::size_t>(k_ * rows_.width));
        nearest_.assign(n, -1);
        distance_.assign(n, kFar);
        trial_.resize(own_.padded());
        kept_.resize(own_.padded());
        int tries = 2;
        for (std::int64_t k = k_; k > 1; k >>= 2) ++tries;
        std::uint64_t draws = 0;
        for (std::int64_t c = 0; c < k_; ++c) {
            double total = 0;
            for (const float d : distance_) total += c == 0 ? 1.0 : static_cast<double>(d);
            std::int64_t chosen = -1;
            double least = 0;
            for (int t = 0; t < (c == 0 ? 1 : tries); ++t) {
                const double uniform =
                    static_cast<double>(numeric::mixed(seed, draws++) >> 11) * 0x1p-53 * total;
                double sum = 0;
                std::int64_t at = 0;
                for (; at < size_ - 1; ++at) {
                    sum += c == 0 ? 1.0 : static_cast<double>(distance_[at]);
                    if (sum > uniform) break;
                }
                double left = 0;
                own_.distances(row(at), trial_.data());
                for (std::int64_t i = 0; i < size_; ++i) {
                    left += static_cast<double>(std::min(distance_[i], trial_[i]));
                }
                if (chosen < 0 || left < least) {
                    chosen = at;
                    least = left;
                    kept_.swap(trial_);
                }
            }
            for (std::int64_t i = 0; i < size_; ++i) {
                if (kept_[i] < distance_[i]) {
                    distance_[i] = kept_[i];
                }
            }
            std::copy(row(chosen), row(chosen) + rows_.width, centre(c));
        }
    }

    /// Assigns each row to its nearest centre. Returns whether a row changed its centre.
    bool assign() {
        centre_panels_.resize(k_, rows_.width);
        for (std::int64_t c = 0; c < k_; ++c) centre_panels_.set(c, centre(c));
        bool changed = false;
        for (std::int64_t i = 0; i < size_; ++i) {
            float least = kFar;
            const std::int32_t best = centre_panels_.nearest(row(i), least);
            changed = changed || nearest_[i] != best;
            nearest_[i] = best;
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
        for (std::int64_t c = 0; c < k_; ++c) {
            if (counts_[c] == 0) continue;
            for (std::int64_t f = 0; f < rows_.width; ++f) {
                centre(c)[f] = static_cast<float>(sums_[c * rows_.width + f] /
                                                  static_cast<double>(counts_[c]));
            }
        }
    }

    void snap(std::int32_t* out) {
        std::vector<std::uint8_t> taken(static_cast<std::size_t>(size_), 0);
        for (std::int64_t c = 0; c < k_; ++c) {
            std::int64_t best = -1;
            float least = kFar;
            own_.distances(centre(c), trial_.data());
            for (std::int64_t i = 0; i < size_; ++i) {
                if (taken[i] != 0) continue;
                if (best < 0 || trial_[i] < least) {
                    least = trial_[i];
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
    Panels own_, centre_panels_;
    std::vector<float> centres_, distance_, trial_, kept_;
    std::vector<std::int32_t> nearest_;
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
