#include "lexrank/join_block.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace dsir::lexrank {

// A generous bound.
float SparseBlock::rounding(std::int64_t products) {
    return static_cast<float>(products + 8) * 0x1p-22F;
}

SparseBlock::SparseBlock(const ComparableSparse& rows, std::int64_t begin, std::int64_t end)
    : rows_(rows), begin_(begin), end_(end), starts_(static_cast<std::size_t>(rows.width()) + 1) {
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
}

float SparseBlock::fill(std::int64_t query, std::int64_t limit, float* estimate) const {
    std::fill(estimate, estimate + (limit - begin_), 0.0F);
    const std::uint16_t* const members = members_.data();
    for (std::int64_t k = rows_.begin(query); k < rows_.end(query); ++k) {
        const auto column = static_cast<std::size_t>(rows_.column(k));
        const auto weight = static_cast<float>(rows_.weight(k));
        std::uint32_t stop = starts_[column + 1];
        if (limit != end_) {
            // Members ascend, and those from the limit on are not needed.
            stop = static_cast<std::uint32_t>(
                std::lower_bound(members + starts_[column], members + stop, limit - begin_) -
                members);
        }
        add(starts_[column], stop, weight, estimate);
    }
    return rounding(rows_.longest());
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

float DenseBlock::fill(std::int64_t query, std::int64_t limit, float* estimate) const {
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
    return SparseBlock::rounding(width);
}

}  // namespace dsir::lexrank
