#include "simd/sha256_blocks.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace dsir::simd {
namespace {

struct Lanes {
    uint32x4_t abcd;
    uint32x4_t efgh;
};

inline Lanes to_lanes(const Sha256State& state) {
    return {vld1q_u32(state.data()), vld1q_u32(state.data() + 4)};
}

inline void from_lanes(const Lanes& lanes, Sha256State& state) {
    vst1q_u32(state.data(), lanes.abcd);
    vst1q_u32(state.data() + 4, lanes.efgh);
}

/// Four rounds with the message words w, which are in native byte order.
inline void four_rounds(Lanes& lanes, uint32x4_t w, std::size_t round) {
    const uint32x4_t k = vld1q_u32(kSha256RoundConstants.data() + round);
    const uint32x4_t sum = vaddq_u32(w, k);
    const uint32x4_t abcd = lanes.abcd;
    lanes.abcd = vsha256hq_u32(abcd, lanes.efgh, sum);
    lanes.efgh = vsha256h2q_u32(lanes.efgh, abcd, sum);
}

/// Updates each of kStreams states with one block of 64 bytes. Within a stream each instruction
/// waits for the one before; a second stream fills the gaps.
template <std::size_t kStreams>
inline void take_block(Lanes (&lanes)[kStreams], const std::uint8_t* const (&blocks)[kStreams]) {
    Lanes before[kStreams];
    uint32x4_t w[kStreams][4];
    for (std::size_t s = 0; s < kStreams; ++s) {
        before[s] = lanes[s];
        for (std::size_t i = 0; i < 4; ++i) {
            w[s][i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(blocks[s] + 16 * i)));
        }
    }
#pragma GCC unroll 16
    for (std::size_t step = 0; step < 16; ++step) {
        for (std::size_t s = 0; s < kStreams; ++s) {
            uint32x4_t(&own)[4] = w[s];
            const std::size_t i = step % 4;
            four_rounds(lanes[s], own[i], 4 * step);
            // These words have been used; the words for four steps later take their place.
            if (step < 12) {
                own[i] = vsha256su1q_u32(vsha256su0q_u32(own[i], own[(i + 1) % 4]),
                                         own[(i + 2) % 4], own[(i + 3) % 4]);
            }
        }
    }
    for (std::size_t s = 0; s < kStreams; ++s) {
        lanes[s].abcd = vaddq_u32(lanes[s].abcd, before[s].abcd);
        lanes[s].efgh = vaddq_u32(lanes[s].efgh, before[s].efgh);
    }
}

}  // namespace

void sha256_compress_arm(Sha256State& state, const std::uint8_t* blocks, std::size_t count) {
    Lanes lanes[1] = {to_lanes(state)};
    for (; count != 0; --count, blocks += 64) take_block<1>(lanes, {blocks});
    from_lanes(lanes[0], state);
}

void sha256_compress_two_arm(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                             const std::uint8_t* block_b) {
    Lanes lanes[2] = {to_lanes(a), to_lanes(b)};
    take_block<2>(lanes, {block_a, block_b});
    from_lanes(lanes[0], a);
    from_lanes(lanes[1], b);
}

}  // namespace dsir::simd
#endif
