#include "simd/panels.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <limits>

#include "simd/panels_together.hpp"

namespace dsir::simd {
namespace {

/// One value for each row of a panel. There are four named vectors instead of one of kPanelRows
/// lanes (as in panels_loop.hpp), because gcc keeps a vector wider than the registers in memory.
struct Lanes {
    float32x4_t a, b, c, d;
};

template <class Function>
inline Lanes each(const Lanes& x, const Lanes& y, const Function& function) {
    return {function(x.a, y.a), function(x.b, y.b), function(x.c, y.c), function(x.d, y.d)};
}

inline Lanes all(float value) {
    const float32x4_t four = vdupq_n_f32(value);
    return {four, four, four, four};
}

inline Lanes load(const float* from) {
    return {vld1q_f32(from), vld1q_f32(from + 4), vld1q_f32(from + 8), vld1q_f32(from + 12)};
}

inline void store(const Lanes& lanes, float* to) {
    vst1q_f32(to, lanes.a);
    vst1q_f32(to + 4, lanes.b);
    vst1q_f32(to + 8, lanes.c);
    vst1q_f32(to + 12, lanes.d);
}

inline Lanes panel_distances(const float* panel, std::int64_t width, const float* point) {
    Lanes sum = all(0);
    for (std::int64_t f = 0; f < width; ++f) {
        const float32x4_t value = vdupq_n_f32(point[f]);
        sum = each(sum, load(panel + f * kPanelRows), [value](float32x4_t own, float32x4_t lanes) {
            const float32x4_t gap = vsubq_f32(lanes, value);
            return vaddq_f32(own, vmulq_f32(gap, gap));
        });
    }
    return sum;
}

void distances(const float* panels, std::int64_t count, std::int64_t width, const float* point,
               float* out) {
    for (std::int64_t p = 0; p < count; ++p) {
        store(panel_distances(panels + p * width * kPanelRows, width, point), out + p * kPanelRows);
    }
}

void products(const float* panels, std::int64_t count, std::int64_t width, const float* point,
              float* out) {
    for (std::int64_t p = 0; p < count; ++p) {
        const float* const panel = panels + p * width * kPanelRows;
        Lanes sum = all(0);
        for (std::int64_t f = 0; f < width; ++f) {
            const float32x4_t value = vdupq_n_f32(point[f]);
            sum = each(sum, load(panel + f * kPanelRows),
                       [value](float32x4_t own, float32x4_t lanes) {
                           return vaddq_f32(own, vmulq_f32(lanes, value));
                       });
        }
        store(sum, out + p * kPanelRows);
    }
}

std::int32_t nearest(const float* panels, std::int64_t count, std::int64_t width,
                     const float* point, float* distance) {
    float least[kPanelRows];
    std::int32_t of_panel[kPanelRows] = {};
    store(all(std::numeric_limits<float>::infinity()), least);
    for (std::int64_t p = 0; p < count; ++p) {
        const Lanes sum = panel_distances(panels + p * width * kPanelRows, width, point);
        const Lanes before = load(least);
        const int32x4_t own = vdupq_n_s32(static_cast<std::int32_t>(p));
        std::int32_t* number = of_panel;
        store(each(sum, before,
                   [own, &number](float32x4_t found, float32x4_t known) {
                       const uint32x4_t less = vcltq_f32(found, known);
                       vst1q_s32(number, vbslq_s32(less, own, vld1q_s32(number)));
                       number += 4;
                       return vbslq_f32(less, found, known);
                   }),
              least);
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

static_assert(kPanelRows == 16);

const PanelKernels kPanelsNeon = {distances, distances_together, below,         offer_all,
                                  least_few, place_least,        at_most,       either_equal,
                                  balances,  products,           lane_products, nearest};

}  // namespace dsir::simd
#endif
