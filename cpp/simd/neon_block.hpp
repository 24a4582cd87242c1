#pragma once

#if defined(__aarch64__)
#include <arm_neon.h>

#include <cstdint>

/// 64 bytes in four NEON vectors. NEON takes no CPU flags, so files may share these functions.
namespace dsir::simd {

using NeonBlock = uint8x16x4_t;

inline NeonBlock load_block(const std::uint8_t* at) {
    return {{vld1q_u8(at), vld1q_u8(at + 16), vld1q_u8(at + 32), vld1q_u8(at + 48)}};
}

inline void store_block(std::uint8_t* out, const NeonBlock& block) {
    for (int i = 0; i < 4; ++i) vst1q_u8(out + 16 * i, block.val[i]);
}

/// Applies the function to each vector.
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

/// One bit per byte, for bytes that are 0 or 0xFF. No instruction does this: each byte keeps its
/// own bit of eight, and three sums of neighbours collect the eight bits.
inline std::uint64_t bits_of(const NeonBlock& masks) {
    const uint8x16_t own = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t low = vpaddq_u8(vandq_u8(masks.val[0], own), vandq_u8(masks.val[1], own));
    const uint8x16_t high = vpaddq_u8(vandq_u8(masks.val[2], own), vandq_u8(masks.val[3], own));
    const uint8x16_t fours = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(fours, fours)), 0);
}

/// Bit i is set if byte i is 0x80 or more. Most text has no such byte, which is quick to find out.
inline std::uint64_t high_bits_of(const NeonBlock& block) {
    if (!has_high_bits(block)) [[likely]]
        return 0;
    return bits_of(
        each(block, [](uint8x16_t bytes) { return vcltzq_s8(vreinterpretq_s8_u8(bytes)); }));
}

}  // namespace dsir::simd
#endif
