#include "simd/philox_rows.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace dsir::simd {
namespace {

/// The lower and the upper halves of four 32-bit products.
struct Halves {
    uint32x4_t lower;
    uint32x4_t upper;
};

inline Halves halves_of(uint64x2_t first, uint64x2_t second) {
    const uint32x4_t a = vreinterpretq_u32_u64(first);
    const uint32x4_t b = vreinterpretq_u32_u64(second);
    return {vuzp1q_u32(a, b), vuzp2q_u32(a, b)};
}

inline Halves multiply(uint32x4_t a, uint32x4_t b) {
    return halves_of(vmull_u32(vget_low_u32(a), vget_low_u32(b)), vmull_high_u32(a, b));
}

}  // namespace

/// Eight rows at a time, in two halves, so that the multiplications of one half do not wait for
/// those of the other.
void philox_rows_neon(const PhiloxSettings& settings, std::uint64_t first_row,
                      const std::uint32_t* offsets, std::size_t count, std::uint32_t* words) {
    const uint32x4_t factor0 = vdupq_n_u32(0xD2511F53);
    const uint32x4_t factor1 = vdupq_n_u32(0xCD9E8D57);
    const uint64x2_t first = vdupq_n_u64(first_row);
    uint32x4_t keys0[10];
    uint32x4_t keys1[10];
    for (std::uint32_t round = 0; round < 10; ++round) {
        keys0[round] = vdupq_n_u32(static_cast<std::uint32_t>(settings.key) + round * 0x9E3779B9);
        keys1[round] =
            vdupq_n_u32(static_cast<std::uint32_t>(settings.key >> 32) + round * 0xBB67AE85);
    }
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        uint32x4_t counter0[2];
        uint32x4_t counter1[2];
        uint32x4_t counter2[2];
        uint32x4_t counter3[2];
        for (std::size_t half = 0; half < 2; ++half) {
            const uint32x4_t four = vld1q_u32(offsets + i + 4 * half);
            const Halves row =
                halves_of(vaddw_u32(first, vget_low_u32(four)), vaddw_high_u32(first, four));
            counter0[half] = row.lower;
            counter1[half] = row.upper;
            counter2[half] = vdupq_n_u32(settings.third_word);
            counter3[half] = vdupq_n_u32(0);
        }
        for (int round = 0; round < 10; ++round) {
            for (int half = 0; half < 2; ++half) {
                const Halves product0 = multiply(factor0, counter0[half]);
                const Halves product1 = multiply(factor1, counter2[half]);
                counter0[half] = veorq_u32(product1.upper, veorq_u32(counter1[half], keys0[round]));
                counter2[half] = veorq_u32(product0.upper, veorq_u32(counter3[half], keys1[round]));
                counter1[half] = product1.lower;
                counter3[half] = product0.lower;
            }
        }
        vst1q_u32(words + i, counter1[0]);
        vst1q_u32(words + i + 4, counter1[1]);
    }
    philox_rows_scalar(settings, first_row, offsets + i, count - i, words + i);
}

}  // namespace dsir::simd
#endif
