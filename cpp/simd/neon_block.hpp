#pragma once

#if defined(__aarch64__)
#include <arm_neon.h>

#include <cstdint>

/// 64 bytes in four vectors of NEON. No flags are needed for it, so these functions may be shared.
namespace dsir::simd {

using NeonBlock = uint8x16x4_t;

inline NeonBlock load_block(const std::uint8_t* at) {
    return {{vld1q_u8(at), vld1q_u8(at + 16), vld1q_u8(at + 32), vld1q_u8(at + 48)}};
}

inline void store_block(std::uint8_t* out, const NeonBlock& block) {
    for (int i = 0; i < 4; ++i) vst1q_u8(out + 16 * i, block.val[i]);
}

/// The function of each vector.
template <class Function>
inline NeonBlock each(const NeonBlock& block, const Function& function) {
    return {{function(block.val[0]), function(block.val[1]), function(block.val[2]),
             function(block.val[3])}};
}

inline uint8x16_t any_of(const NeonBlock& block) {
    return vorrq_u8(vorrq_u8(block.val[0], block.val[1]), vorrq_u8(block.val[2], block.val[3]));
}

inline bool has_high_bits(const NeonBlock& block) {
    return vmaxvq_u8(any_of(block)) >= 0x80;
}

/// Bit i for byte i, of bytes that are 0 or 0xFF. There is no instruction for it: each byte keeps
/// the bit that is its own among eight, and three sums of neighbours bring the eight together.
inline std::uint64_t bits_of(const NeonBlock& masks) {
    const uint8x16_t own = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t low = vpaddq_u8(vandq_u8(masks.val[0], own), vandq_u8(masks.val[1], own));
    const uint8x16_t high = vpaddq_u8(vandq_u8(masks.val[2], own), vandq_u8(masks.val[3], own));
    const uint8x16_t fours = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(fours, fours)), 0);
}

/// Bit i where byte i is 0x80 or more; most text has none, and that is quick to say.
inline std::uint64_t high_bits_of(const NeonBlock& block) {
    if (!has_high_bits(block)) [[likely]]
        return 0;
    return bits_of(
        each(block, [](uint8x16_t bytes) { return vcltzq_s8(vreinterpretq_s8_u8(bytes)); }));
}

}  // namespace dsir::simd
#endif
