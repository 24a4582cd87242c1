#include "gais/group_neighbours.hpp"

#include <algorithm>
#include <limits>

#include "gais/dense_products.hpp"
#include "gais/panels.hpp"
#include "parallel/for_ranges.hpp"
#include "simd/panels.hpp"

namespace dsir::gais {
namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();

struct Candidate {
    std::int32_t row;
    float cosine;
    std::int32_t tables;
};

/// Collects the candidates of a row and keeps the best k.
class Nearest {
  public:
    /// `once` says that no row is offered twice, as by a single table.
    Nearest(std::int64_t k, float threshold, bool once)
        : k_(static_cast<std::size_t>(k)), threshold_(threshold), once_(once) {}

    void begin() {
        found_.clear();
        full_ = false;
    }
    void offer(std::int32_t row, float cosine) {
        if (!(cosine >= threshold_)) return;
        if (full_ && cosine < worst_) return;
        found_.push_back({row, cosine, 1});
        if (found_.size() >= 8 * k_ + 64) prune();
    }
    /// Offers the candidates of a group at once: `away` has each cosine below 0, as 0 - cosine, in
    /// whole panels, infinite for a row that is no candidate. No row may have been offered before.
    void offer_group(const std::int32_t* members, const std::vector<float>& away) {
        const auto panels = static_cast<std::int64_t>(away.size()) / simd::kPanelRows;
        float limit = kFar;
        if (k_ <= static_cast<std::size_t>(simd::kPanelRows)) {
            limit = kernels_.place_least(away.data(), panels, static_cast<std::int32_t>(k_));
        }
        places_.resize(away.size());
        const std::int64_t near = kernels_.at_most(away.data(), panels, limit, places_.data());
        for (std::int64_t n = 0; n < near; ++n) {
            const float own = away[places_[n]];
            if (own < kFar) offer(members[places_[n]], 0 - own);
        }
    }
    /// The best candidates, ascending by row.
    const std::vector<Candidate>& end() {
        prune();
        std::sort(found_.begin(), found_.end(),
                  [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
        return found_;
    }

  private:
    void prune() {
        const auto better = [](const Candidate& a, const Candidate& b) {
            return a.cosine != b.cosine ? a.cosine > b.cosine : a.row < b.row;
        };
        if (once_) {
            full_ = found_.size() >= k_;
            if (!full_) return;
            const auto last = found_.begin() + static_cast<std::ptrdiff_t>(k_) - 1;
            std::nth_element(found_.begin(), last, found_.end(), better);
            worst_ = last->cosine;
            found_.resize(k_);
            return;
        }
        std::sort(found_.begin(), found_.end(), better);
        // A row has one cosine, so its entries are next to each other.
        std::size_t kept = 0;
        for (const Candidate& one : found_) {
            if (kept > 0 && found_[kept - 1].row == one.row) {
                found_[kept - 1].tables += one.tables;
            } else {
                if (kept == k_) break;
                found_[kept++] = one;
            }
        }
        found_.resize(kept);
        full_ = kept == k_;
        if (full_) worst_ = found_.back().cosine;
    }

    std::size_t k_;
    float threshold_;
    bool once_;
    const simd::PanelKernels& kernels_ = simd::panel_kernels(simd::active_level());
    std::vector<std::int32_t> places_;
    std::vector<Candidate> found_;
    bool full_ = false;
    float worst_ = 0;
};

/// The rows of one group at a time in panels, for the cosines of a row with all of them.
class GroupPanels {
  public:
    GroupPanels(const numeric::DenseRows& rows, const GroupTable& table)
        : rows_(rows), table_(table), negative_(static_cast<std::size_t>(rows.width)) {}

    /// Offers a row all others of its group. The row is the member `at` of the table.
    void offer_others(std::int32_t group, std::int64_t at, Nearest& nearest) {
        const std::int32_t* const members = table_.members + table_.offsets[group];
        if (group != group_) fill(group);
        // 0 - cosine, for the kernels look for the least. A sum of products is never -0, so this
        // gives the cosine back.
        const float* const own = rows_.values + table_.members[at] * rows_.width;
        for (std::size_t f = 0; f < negative_.size(); ++f) negative_[f] = -own[f];
        panels_.lane_products(negative_.data(), away_.data());
        away_[at - table_.offsets[group]] = kFar;
        for (auto k = static_cast<std::size_t>(panels_.rows()); k < away_.size(); ++k) {
            away_[k] = kFar;
        }
        nearest.offer_group(members, away_);
    }

  private:
    void fill(std::int32_t group) {
        group_ = group;
        const std::int32_t* const members = table_.members + table_.offsets[group];
        const std::int64_t size = table_.offsets[group + 1] - table_.offsets[group];
        panels_.resize(size, rows_.width);
        for (std::int64_t m = 0; m < size; ++m) {
            panels_.set(m, rows_.values + members[m] * rows_.width);
        }
        away_.resize(panels_.padded());
    }

    const numeric::DenseRows& rows_;
    const GroupTable& table_;
    std::int32_t group_ = -1;
    Panels panels_;
    std::vector<float> negative_, away_;
};

}  // namespace

Neighbours group_neighbours(const numeric::DenseRows& rows, const std::vector<GroupTable>& tables,
                            std::int64_t k, float threshold, unsigned threads) {
    const auto size = static_cast<std::size_t>(rows.size);
    // The group of each row in each table.
    std::vector<std::int32_t> group_of(tables.size() * size);
    for (std::size_t t = 0; t < tables.size(); ++t) {
        for (std::int64_t g = 0; g < tables[t].groups; ++g) {
            for (std::int64_t m = tables[t].offsets[g]; m < tables[t].offsets[g + 1]; ++m) {
                group_of[t * size + tables[t].members[m]] = static_cast<std::int32_t>(g);
            }
        }
    }
    // Rows are visited in the order of the first table, so that its groups stay in the cache.
    std::vector<Candidate> best(size * static_cast<std::size_t>(k));
    std::vector<std::int32_t> counts(size, 0);
    if (!tables.empty() && size > 0) {
        parallel::for_ranges(
            rows.size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
                Nearest nearest(k, threshold, tables.size() == 1);
                GroupPanels panels(rows, tables[0]);
                for (std::int64_t at = begin; at < end; ++at) {
                    const std::int32_t i = tables[0].members[at];
                    const float* const own = rows.values + i * rows.width;
                    nearest.begin();
                    if (tables.size() == 1) panels.offer_others(group_of[i], at, nearest);
                    for (std::size_t t = 0; tables.size() > 1 && t < tables.size(); ++t) {
                        const std::int32_t g = group_of[t * size + i];
                        const std::int64_t last = tables[t].offsets[g + 1];
                        for (std::int64_t m = tables[t].offsets[g]; m < last; ++m) {
                            const std::int32_t j = tables[t].members[m];
                            if (j == i) continue;
                            nearest.offer(j, dot(own, rows.values + j * rows.width, rows.width));
                        }
                    }
                    const std::vector<Candidate>& found = nearest.end();
                    counts[i] = static_cast<std::int32_t>(found.size());
                    std::copy(found.begin(), found.end(), best.begin() + i * k);
                }
            });
    }
    Neighbours result;
    result.offsets.assign(size + 1, 0);
    for (std::size_t i = 0; i < size; ++i) {
        result.offsets[i + 1] = result.offsets[i] + counts[i];
    }
    const auto edges = static_cast<std::size_t>(result.offsets[size]);
    result.neighbours.reserve(edges);
    result.cosines.reserve(edges);
    result.shares.reserve(edges);
    const auto whole = static_cast<float>(tables.size());
    for (std::size_t i = 0; i < size; ++i) {
        for (std::int32_t c = 0; c < counts[i]; ++c) {
            const Candidate& one = best[i * static_cast<std::size_t>(k) + c];
            result.neighbours.push_back(one.row);
            result.cosines.push_back(one.cosine);
            result.shares.push_back(static_cast<float>(one.tables) / whole);
        }
    }
    return result;
}

std::vector<std::uint64_t> sign_codes(const numeric::DenseRows& rows, const float* planes,
                                      std::int64_t bits, unsigned threads) {
    std::vector<std::uint64_t> codes(static_cast<std::size_t>(rows.size));
    parallel::for_ranges(rows.size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            std::uint64_t code = 0;
            for (std::int64_t b = 0; b < bits; ++b) {
                const float side =
                    dot(rows.values + i * rows.width, planes + b * rows.width, rows.width);
                code |= std::uint64_t{side > 0} << b;
            }
            codes[i] = code;
        }
    });
    return codes;
}

}  // namespace dsir::gais
