#pragma once

#include <cstring>
#include <limits>

#include "simd/panels.hpp"
#include "simd/panels_together.hpp"

// The kernels for one point. A panel is a few vectors, and the loops over these unroll. The unnamed
// namespace gives every width code of its own.
namespace dsir::simd {
namespace {

/// One value for each row of a panel.
struct Panel {
    Floats piece[kPieces];
};

inline void store(const Panel& rows, float* to) {
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < kPieces; ++k) {
        std::memcpy(to + k * kLanes, &rows.piece[k], sizeof(Floats));
    }
}

inline void panel_distances(const float* panel, std::int64_t width, const float* point,
                            Panel& sum) {
    sum = Panel{};
    for (std::int64_t f = 0; f < width; ++f) {
#pragma GCC unroll 4
        for (std::int64_t k = 0; k < kPieces; ++k) {
            Floats lanes;
            load(lanes, panel + f * kPanelRows + k * kLanes);
            lanes -= point[f];
            sum.piece[k] += lanes * lanes;
        }
    }
}

void distances(const float* panels, std::int64_t count, std::int64_t width, const float* point,
               float* out) {
    for (std::int64_t p = 0; p < count; ++p) {
        Panel sum;
        panel_distances(panels + p * width * kPanelRows, width, point, sum);
        store(sum, out + p * kPanelRows);
    }
}

void products(const float* panels, std::int64_t count, std::int64_t width, const float* point,
              float* out) {
    for (std::int64_t p = 0; p < count; ++p) {
        const float* const panel = panels + p * width * kPanelRows;
        Panel sum = {};
        for (std::int64_t f = 0; f < width; ++f) {
#pragma GCC unroll 4
            for (std::int64_t k = 0; k < kPieces; ++k) {
                Floats lanes;
                load(lanes, panel + f * kPanelRows + k * kLanes);
                sum.piece[k] += lanes * point[f];
            }
        }
        store(sum, out + p * kPanelRows);
    }
}

std::int32_t nearest(const float* panels, std::int64_t count, std::int64_t width,
                     const float* point, float* distance) {
    const float far = std::numeric_limits<float>::infinity();
    Panel least;
    Numbers of_panel[kPieces] = {};
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < kPieces; ++k) least.piece[k] = Floats{} + far;
    for (std::int64_t p = 0; p < count; ++p) {
        Panel sum;
        panel_distances(panels + p * width * kPanelRows, width, point, sum);
#pragma GCC unroll 4
        for (std::int64_t k = 0; k < kPieces; ++k) {
            const Numbers less = sum.piece[k] < least.piece[k];
            least.piece[k] = less ? sum.piece[k] : least.piece[k];
            of_panel[k] = less ? Numbers{} + static_cast<std::int32_t>(p) : of_panel[k];
        }
    }
    std::int32_t best = 0;
    float least_of_all = far;
    for (std::int32_t lane = 0; lane < kPanelRows; ++lane) {
        const std::int32_t panel = of_panel[lane / kLanes][lane % kLanes];
        const float value = least.piece[lane / kLanes][lane % kLanes];
        const std::int32_t row = panel * static_cast<std::int32_t>(kPanelRows) + lane;
        if (value < least_of_all || (value == least_of_all && row < best)) {
            least_of_all = value;
            best = row;
        }
    }
    *distance = least_of_all;
    return best;
}

}  // namespace
}  // namespace dsir::simd
