#include "simd/possible_rows.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <limits>

namespace dsir::simd {
namespace {

/// Four documents, two per vector.
struct Four {
    float64x2_t low;
    float64x2_t high;
};

template <class Function>
inline Four each(const Four& four, const Function& function) {
    return {function(four.low), function(four.high)};
}

}  // namespace

/// Four documents at a time. NEON cannot compress lanes or look up in a table of this size, so
/// those steps are done one by one, and only for fours in which at least one document may reach the
/// bar.
std::size_t possible_rows_neon(const NoiseNeeded& needed, const double* log_weight,
                               const std::uint8_t* eligible, std::uint32_t size,
                               std::uint32_t* offsets, std::uint32_t* words) {
    const float64x2_t temperature = vdupq_n_f64(needed.temperature);
    const bool divides = needed.temperature != 1.0;
    const float64x2_t bar = vdupq_n_f64(needed.bar);
    const float64x2_t least = vdupq_n_f64(needed.least_noise);
    const float64x2_t most = vdupq_n_f64(needed.most_noise);
    const float64x2_t most_steps = vdupq_n_f64(needed.table_top - needed.least_noise);
    const float64x2_t steps = vdupq_n_f64(needed.steps_a_unit);
    const auto reaches = [bar, most](float64x2_t scaled) {
        return vcgeq_f64(vaddq_f64(scaled, most), bar);
    };
    const auto step_of = [=](float64x2_t scaled) {
        const float64x2_t wanted = vsubq_f64(bar, scaled);
        const uint64x2_t is_more = vcgtq_f64(wanted, least);
        const uint64x2_t more = vreinterpretq_u64_f64(vsubq_f64(wanted, least));
        const float64x2_t above = vreinterpretq_f64_u64(vandq_u64(more, is_more));
        return vmovn_u64(vcvtq_u64_f64(vmulq_f64(vminq_f64(above, most_steps), steps)));
    };
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    std::size_t count = 0;
    std::uint32_t at = 0;
    for (; size - at >= 4; at += 4) {
        const Four plain = {vld1q_f64(log_weight + at), vld1q_f64(log_weight + at + 2)};
        const Four scaled =
            divides ? each(plain,
                           [temperature](float64x2_t some) { return vdivq_f64(some, temperature); })
                    : plain;
        const uint32x4_t possible =
            vcombine_u32(vmovn_u64(reaches(scaled.low)), vmovn_u64(reaches(scaled.high)));
        if (vmaxvq_u32(possible) == 0) continue;
        std::uint32_t kept[4];
        std::uint32_t step[4];
        vst1q_u32(kept, possible);
        vst1q_u32(step, vcombine_u32(step_of(scaled.low), step_of(scaled.high)));
        for (std::uint32_t i = 0; i < 4; ++i) {
            const bool is_eligible =
                eligible != nullptr ? eligible[at + i] != 0 : log_weight[at + i] > -kInfinity;
            offsets[count] = at + i;
            words[count] = needed.words[step[i]];
            count += kept[i] & (is_eligible ? 1 : 0);
        }
    }
    const std::size_t rest =
        possible_rows_scalar(needed, log_weight + at, eligible == nullptr ? nullptr : eligible + at,
                             size - at, offsets + count, words + count);
    for (std::size_t i = count; i < count + rest; ++i) offsets[i] += at;
    return count + rest;
}

}  // namespace dsir::simd
#endif
