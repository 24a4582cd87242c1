#include "gais/near_rows.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "gais/prototype_sides.hpp"
#include "parallel/for_ranges.hpp"
#include "simd/panels.hpp"

namespace dsir::gais {
namespace {

// A longer reach makes longer lists, a shorter one more rows that outgrow theirs.
constexpr std::int64_t kReachPlace = 16;
static_assert(kReachPlace <= simd::kPanelRows);
// Every so many blocks of lists one is made to estimate the size of all.
constexpr std::int64_t kEstimated = 16;
constexpr float kFar = std::numeric_limits<float>::infinity();

/// The reach of a row by its distances to the `count` prototypes of a side: the kReachPlace-th
/// smallest, or the greatest of fewer. With one prototype alone there is no second nearest, and no
/// limit.
float reach_of(const float* distances, std::int64_t panels, std::int64_t count) {
    if (count < 2) return kFar;
    const auto place = static_cast<std::int32_t>(std::min(kReachPlace, count));
    return simd::panel_kernels(simd::active_level()).place_least(distances, panels, place);
}

}  // namespace

std::vector<std::int32_t> members_by_class(const std::int32_t* labels, const std::int32_t* members,
                                           std::int64_t size) {
    std::vector<std::int32_t> ordered(members, members + size);
    std::stable_sort(ordered.begin(), ordered.end(),
                     [labels](std::int32_t a, std::int32_t b) { return labels[a] < labels[b]; });
    return ordered;
}

NearRows::NearRows(const numeric::DenseRows& rows, const std::int32_t* labels, const Parts& parts,
                   const std::vector<Start>& starts, std::int64_t most, unsigned threads)
    : offsets_(parts.offsets, parts.offsets + parts.count + 1) {
    const std::int64_t size = offsets_.back();
    std::vector<Panels> panels(static_cast<std::size_t>(parts.count));
    for (std::int64_t g = 0; g < parts.count; ++g) {
        const std::int64_t own = offsets_[g + 1] - offsets_[g];
        const auto ordered = members_by_class(labels, parts.members + offsets_[g], own);
        panels[g].resize(own, rows.width);
        for (std::int64_t i = 0; i < own; ++i) {
            panels[g].set(i, rows.values + ordered[i] * rows.width);
        }
        members_.insert(members_.end(), ordered.begin(), ordered.end());
    }
    own_reach_.assign(static_cast<std::size_t>(size), 0.0F);
    other_reach_.assign(static_cast<std::size_t>(size), 0.0F);
    for (const Start& start : starts) find_reach(rows, labels, start, threads);
    std::vector<Block> blocks(static_cast<std::size_t>((size + kBlockRows - 1) / kBlockRows));
    const auto count = static_cast<std::int64_t>(blocks.size());
    const std::int64_t sampled = (count + kEstimated - 1) / kEstimated;
    parallel::for_ranges(sampled, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t b = begin; b < end; ++b) {
            fill(panels, rows, labels, b * kEstimated, blocks[b * kEstimated]);
        }
    });
    std::int64_t estimate = 0;
    for (const Block& block : blocks) {
        estimate += static_cast<std::int64_t>(block.places.size());
    }
    if (size == 0 || estimate * count / sampled > most) return;
    parallel::for_ranges(count, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t b = begin; b < end; ++b) {
            if (b % kEstimated != 0) fill(panels, rows, labels, b, blocks[b]);
        }
    });
    blocks_ = std::move(blocks);
}

std::int64_t NearRows::entries() const {
    std::int64_t total = 0;
    for (const Block& block : blocks_) total += static_cast<std::int64_t>(block.places.size());
    return total;
}

bool NearRows::fits(const Parts& parts) const {
    return std::equal(offsets_.begin(), offsets_.end(), parts.offsets,
                      parts.offsets + parts.count + 1);
}

std::int64_t NearRows::part_of(std::int64_t at) const {
    return std::upper_bound(offsets_.begin(), offsets_.end(), at) - offsets_.begin() - 1;
}

void NearRows::find_reach(const numeric::DenseRows& rows, const std::int32_t* labels,
                          const Start& start, unsigned threads) {
    for (std::size_t g = 0; g + 1 < offsets_.size(); ++g) {
        const std::int64_t first = start.ends[g];
        const std::int64_t count = start.ends[g + 1] - first;
        Panels panels;
        panels.resize(count, rows.width);
        PrototypeSides sides;
        for (std::int64_t s = 0; s < count; ++s) {
            sides.add(labels[start.prototypes[first + s]]);
            panels.set(s, rows.values + start.prototypes[first + s] * rows.width);
        }
        const std::int64_t size = offsets_[g + 1] - offsets_[g];
        parallel::for_ranges(size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
            std::vector<float> distances(panels.padded());
            PrototypeSides own_sides = sides;
            for (std::int64_t i = offsets_[g] + begin; i < offsets_[g] + end; ++i) {
                panels.distances(rows.values + members_[i] * rows.width, distances.data());
                own_sides.divide(distances.data(), labels[members_[i]]);
                own_reach_[i] =
                    std::max(own_reach_[i],
                             reach_of(own_sides.own(), own_sides.panels(), own_sides.own_count()));
                other_reach_[i] = std::max(
                    other_reach_[i],
                    reach_of(own_sides.other(), own_sides.panels(), own_sides.other_count()));
            }
        });
    }
}

void NearRows::fill(const std::vector<Panels>& panels, const numeric::DenseRows& rows,
                    const std::int32_t* labels, std::int64_t block, Block& found) const {
    const simd::PanelKernels& kernels = simd::panel_kernels(simd::active_level());
    const std::int64_t end = std::min<std::int64_t>((block + 1) * kBlockRows, offsets_.back());
    std::vector<float> distances, near_distances;
    std::vector<std::int32_t> near;
    found.ends.assign(1, 0);
    for (std::int64_t begin = block * kBlockRows; begin < end;) {
        const std::int64_t part = part_of(begin);
        const std::int64_t last = std::min(end, offsets_[part + 1]);
        const std::int32_t* const members = members_.data() + offsets_[part];
        const std::int64_t size = offsets_[part + 1] - offsets_[part];
        const auto padded = static_cast<std::int64_t>(panels[part].padded());
        distances.resize(static_cast<std::size_t>(padded * simd::kPointsTogether));
        near.resize(static_cast<std::size_t>(size));
        near_distances.resize(near.size());
        for (std::int64_t first = begin; first < last; first += simd::kPointsTogether) {
            std::array<const float*, simd::kPointsTogether> points{};
            const std::int64_t together = std::min(simd::kPointsTogether, last - first);
            for (std::int64_t k = 0; k < simd::kPointsTogether; ++k) {
                points[k] = rows.values + members_[first + std::min(k, together - 1)] * rows.width;
            }
            panels[part].distances_together(points.data(), distances.data());
            for (std::int64_t k = 0; k < together; ++k) {
                const float* const own = distances.data() + k * padded;
                const std::int32_t label = labels[members_[first + k]];
                const auto less = [labels](std::int32_t row, std::int32_t than) {
                    return labels[row] < than;
                };
                const std::int64_t class_begin =
                    std::lower_bound(members, members + size, label, less) - members;
                const std::int64_t class_end =
                    std::lower_bound(members, members + size, label + 1, less) - members;
                const auto find = [&](const float* reach, std::int64_t from, std::int64_t to) {
                    const std::int64_t count = kernels.below(own, reach, from, to, near.data());
                    found.places.insert(found.places.end(), near.begin(), near.begin() + count);
                    for (std::int64_t n = 0; n < count; ++n) near_distances[n] = own[near[n]];
                    found.distances.insert(found.distances.end(), near_distances.begin(),
                                           near_distances.begin() + count);
                };
                find(other_reach(part), 0, class_begin);
                find(own_reach(part), class_begin, class_end);
                find(other_reach(part), class_end, size);
                found.ends.push_back(static_cast<std::int64_t>(found.places.size()));
            }
        }
        begin = last;
    }
    found.places.shrink_to_fit();
    found.distances.shrink_to_fit();
}

}  // namespace dsir::gais
