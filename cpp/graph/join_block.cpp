#include "graph/join_block.hpp"

#include <algorithm>
#include <array>

namespace dsir::graph {
namespace {

// The part of the wanted cosine that left-out columns may typically add: more leaves fewer products
// to the first pass and more pairs to decide in double precision. Measured: docs/lexrank.md.
constexpr double kLeftOut = 0.3;

// Relative error of a single-precision sum of n products, generously.
float rounding(std::int64_t n) {
    return static_cast<float>(n + 8) * 0x1p-22F;
}

float rounded_up(double value) {
    return std::nextafter(static_cast<float>(value), std::numeric_limits<float>::infinity());
}

}  // namespace

SparseBlock::SparseBlock(const ComparableSparse& rows, std::int64_t begin, std::int64_t end)
    : rows_(rows), begin_(begin), end_(end), starts_(static_cast<std::size_t>(rows.width()) + 1) {
    const auto size = static_cast<std::size_t>(end - begin);
    const auto entries = static_cast<std::size_t>(rows.end(end - 1) - rows.begin(begin));
    for (std::int64_t k = rows.begin(begin); k < rows.end(end - 1); ++k) {
        ++starts_[static_cast<std::size_t>(rows.column(k)) + 1];
    }
    for (std::size_t c = 1; c < starts_.size(); ++c) starts_[c] += starts_[c - 1];
    members_.resize(entries);
    weights_.resize(entries);
    std::vector<std::uint32_t> next(starts_.begin(), starts_.end() - 1);
    for (std::int64_t i = begin; i < end; ++i) {
        for (std::int64_t k = rows.begin(i); k < rows.end(i); ++k) {
            const std::uint32_t at = next[rows.column(k)]++;
            members_[at] = static_cast<std::uint16_t>(i - begin);
            weights_[at] = static_cast<float>(rows.weight(k));
        }
    }
    for (std::int32_t cut = 1; cut <= std::min<std::int64_t>(rows.width(), 1 << 14);
         cut = std::max(cut + 1, cut + cut / 2)) {
        cuts_.push_back(cut);
        std::vector<float> part(size);
        double total = 0;
        for (std::int64_t i = begin; i < end; ++i) {
            double square = 0;
            for (std::int64_t k = rows.begin(i); k < rows.end(i) && rows.column(k) < cut; ++k) {
                square += rows.weight(k) * rows.weight(k);
            }
            part[i - begin] = rounded_up(std::sqrt(square));
            total += square;
        }
        parts_.push_back(std::move(part));
        typical_.push_back(std::sqrt(total / static_cast<double>(size)));
    }
}

Estimate SparseBlock::fill(std::int64_t query, std::int64_t limit, double reach,
                           float* estimate) const {
    std::fill(estimate, estimate + (limit - begin_), 0.0F);
    Estimate result;
    const std::int64_t first = rows_.begin(query);
    const std::int64_t last = rows_.end(query);
    result.error = rounding(std::max(rows_.longest(), last - first));
    // The highest cut at which the columns left out can add little.
    double square = 0;
    std::int64_t from = first;
    std::int64_t entry = first;
    for (std::size_t level = 0; level < cuts_.size(); ++level) {
        while (entry < last && rows_.column(entry) < cuts_[level]) {
            square += rows_.weight(entry) * rows_.weight(entry);
            ++entry;
        }
        const double slack = std::sqrt(square);
        if (slack * typical_[level] > kLeftOut * reach) break;
        if (entry == from) continue;  // Nothing more left out: keep the tighter bound.
        from = entry;
        result.slack = rounded_up(slack);
        result.part = parts_[level].data();
    }
    const bool all = limit == end_;
    for (std::int64_t k = from; k < last; ++k) {
        const auto column = static_cast<std::size_t>(rows_.column(k));
        const auto weight = static_cast<float>(rows_.weight(k));
        const std::uint16_t* const members = members_.data();
        const float* const weights = weights_.data();
        const std::uint32_t stop =
            all ? starts_[column + 1]
                : static_cast<std::uint32_t>(std::lower_bound(members + starts_[column],
                                                              members + starts_[column + 1],
                                                              limit - begin_) -
                                             members);
        for (std::uint32_t p = starts_[column]; p < stop; ++p) {
            estimate[members[p]] += weight * weights[p];
        }
    }
    return result;
}

DenseBlock::DenseBlock(const ComparableDense& rows, std::int64_t begin, std::int64_t end)
    : rows_(rows), begin_(begin) {
    const std::int64_t tiles = (end - begin + kLanes - 1) / kLanes;
    tiles_.resize(static_cast<std::size_t>(tiles * kLanes * rows.width()));
    for (std::int64_t i = begin; i < end; ++i) {
        if (rows.is_zero(i)) continue;
        const double scale = 1.0 / std::sqrt(rows.square(i));
        float* const tile = tiles_.data() + (i - begin) / kLanes * kLanes * rows.width();
        for (std::int64_t c = 0; c < rows.width(); ++c) {
            tile[c * kLanes + (i - begin) % kLanes] =
                static_cast<float>(static_cast<double>(rows.row(i)[c]) * scale);
        }
    }
}

Estimate DenseBlock::fill(std::int64_t query, std::int64_t limit, double, float* estimate) const {
    const double scale = rows_.is_zero(query) ? 0.0 : 1.0 / std::sqrt(rows_.square(query));
    const float* const values = rows_.row(query);
    const std::int64_t width = rows_.width();
    for (std::int64_t first = 0; first < limit - begin_; first += kLanes) {
        const float* tile = tiles_.data() + first * width;
        std::array<float, kLanes> sums{};
        for (std::int64_t c = 0; c < width; ++c, tile += kLanes) {
            const auto value = static_cast<float>(static_cast<double>(values[c]) * scale);
            for (std::int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += value * tile[lane];
        }
        const std::int64_t count = std::min(kLanes, limit - begin_ - first);
        std::copy(sums.begin(), sums.begin() + count, estimate + first);
    }
    Estimate result;
    result.error = rounding(width);
    return result;
}

}  // namespace dsir::graph
