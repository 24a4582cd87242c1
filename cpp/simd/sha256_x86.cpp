#include "simd/cpu.hpp"
#include "simd/sha256_blocks.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

namespace dsir::simd {
namespace {

inline __m128i load(const void* at) {
    return _mm_loadu_si128(static_cast<const __m128i*>(at));
}

/// Four rounds with the message words w, which are in native byte order.
inline void four_rounds(__m128i& abef, __m128i& cdgh, __m128i w, std::size_t round) {
    const __m128i k = load(kSha256RoundConstants.data() + round);
    const __m128i sum = _mm_add_epi32(w, k);
    cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
    abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

/// The next four message words, from the last sixteen.
inline __m128i schedule(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
    const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    return _mm_sha256msg2_epu32(sum, w3);
}

/// The state in the order that the instructions expect: (a b e f) and (c d g h), highest lane
/// first.
struct Lanes {
    __m128i abef;
    __m128i cdgh;
};

inline Lanes to_lanes(const Sha256State& state) {
    const __m128i dcba = _mm_shuffle_epi32(load(state.data()), 0xB1);
    const __m128i hgfe = _mm_shuffle_epi32(load(state.data() + 4), 0x1B);
    return {_mm_alignr_epi8(dcba, hgfe, 8), _mm_blend_epi16(hgfe, dcba, 0xF0)};
}

inline void from_lanes(const Lanes& lanes, Sha256State& state) {
    const __m128i feba = _mm_shuffle_epi32(lanes.abef, 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(lanes.cdgh, 0xB1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data()), _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(state.data() + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/// Updates each of kStreams states with one block of 64 bytes. Within a stream each instruction
/// waits for the one before; a second stream fills the gaps.
template <std::size_t kStreams>
inline void take_block(Lanes (&lanes)[kStreams], const std::uint8_t* const (&blocks)[kStreams]) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    Lanes before[kStreams];
    __m128i w[kStreams][4];
    for (std::size_t s = 0; s < kStreams; ++s) {
        before[s] = lanes[s];
        for (std::size_t i = 0; i < 4; ++i) {
            w[s][i] = _mm_shuffle_epi8(load(blocks[s] + 16 * i), big_endian);
        }
    }
#pragma GCC unroll 16
    for (std::size_t step = 0; step < 16; ++step) {
        for (std::size_t s = 0; s < kStreams; ++s) {
            __m128i(&own)[4] = w[s];
            const std::size_t i = step % 4;
            four_rounds(lanes[s].abef, lanes[s].cdgh, own[i], 4 * step);
            // These words have been used; the words for four steps later take their place.
            if (step < 12) {
                own[i] = schedule(own[i], own[(i + 1) % 4], own[(i + 2) % 4], own[(i + 3) % 4]);
            }
        }
    }
    for (std::size_t s = 0; s < kStreams; ++s) {
        lanes[s].abef = _mm_add_epi32(lanes[s].abef, before[s].abef);
        lanes[s].cdgh = _mm_add_epi32(lanes[s].cdgh, before[s].cdgh);
    }
}

}  // namespace

void sha256_compress_x86(Sha256State& state, const std::uint8_t* blocks, std::size_t count) {
    Lanes lanes[1] = {to_lanes(state)};
    for (; count != 0; --count, blocks += 64) take_block<1>(lanes, {blocks});
    from_lanes(lanes[0], state);
}

void sha256_compress_two_x86(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                             const std::uint8_t* block_b) {
    Lanes lanes[2] = {to_lanes(a), to_lanes(b)};
    take_block<2>(lanes, {block_a, block_b});
    from_lanes(lanes[0], a);
    from_lanes(lanes[1], b);
}

}  // namespace dsir::simd
#endif
