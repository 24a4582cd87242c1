#pragma once

#include <cstring>
#include <limits>

#include "simd/panels.hpp"

// The kernels, in vectors as wide as a panel, which the compiler splits into what its flags allow.
// The unnamed namespace gives every width code of its own.
namespace dsir::simd {
namespace {

using Floats = float __attribute__((vector_size(kPanelRows * sizeof(float))));
using Numbers = std::int32_t __attribute__((vector_size(kPanelRows * sizeof(std::int32_t))));

inline void load(Floats& lanes, const float* from) {
    std::memcpy(&lanes, from, sizeof(Floats));
}

inline void panel_distances(const float* panel, std::int64_t width, const float* point,
                            Floats& sum) {
    sum = Floats{};
    for (std::int64_t f = 0; f < width; ++f) {
        Floats lanes;
        load(lanes, panel + f * kPanelRows);
        lanes -= point[f];
        sum += lanes * lanes;
    }
}

void distances(const float* panels, std::int64_t count, std::int64_t width, const float* point,
               float* out) {
    for (std::int64_t p = 0; p < count; ++p) {
        Floats sum;
        panel_distances(panels + p * width * kPanelRows, width, point, sum);
        std::memcpy(out + p * kPanelRows, &sum, sizeof(Floats));
    }
}

void products(const float* panels, std::int64_t count, std::int64_t width, const float* point,
              float* out) {
    for (std::int64_t p = 0; p < count; ++p) {
        const float* const panel = panels + p * width * kPanelRows;
        Floats sum = {};
        for (std::int64_t f = 0; f < width; ++f) {
            Floats lanes;
            load(lanes, panel + f * kPanelRows);
            sum += lanes * point[f];
        }
        std::memcpy(out + p * kPanelRows, &sum, sizeof(Floats));
    }
}

std::int32_t nearest(const float* panels, std::int64_t count, std::int64_t width,
                     const float* point, float* distance) {
    Floats least;
    for (std::int64_t lane = 0; lane < kPanelRows; ++lane) {
        least[lane] = std::numeric_limits<float>::infinity();
    }
    Numbers of_panel = {};
    for (std::int64_t p = 0; p < count; ++p) {
        Floats sum;
        panel_distances(panels + p * width * kPanelRows, width, point, sum);
        const Numbers less = sum < least;
        least = less ? sum : least;
        of_panel = less ? Numbers{} + static_cast<std::int32_t>(p) : of_panel;
    }
    std::int32_t best = 0;
    float least_of_all = std::numeric_limits<float>::infinity();
    for (std::int32_t lane = 0; lane < kPanelRows; ++lane) {
        const std::int32_t row = of_panel[lane] * static_cast<std::int32_t>(kPanelRows) + lane;
        if (least[lane] < least_of_all || (least[lane] == least_of_all && row < best)) {
            least_of_all = least[lane];
            best = row;
        }
    }
    *distance = least_of_all;
    return best;
}

}  // namespace
}  // namespace dsir::simd
