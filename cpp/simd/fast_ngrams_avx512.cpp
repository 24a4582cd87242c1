#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "simd/fast_ngrams_loop.hpp"

namespace dsir::simd {
namespace {

inline __m512i all(std::uint64_t value) {
    return _mm512_set1_epi64(static_cast<long long>(value));
}

/// hashing::fold of eight pairs, from four 32-bit products each. None of the sums overflows.
inline __m512i fold(__m512i a, __m512i b) {
    const __m512i a_high = _mm512_srli_epi64(a, 32);
    const __m512i b_high = _mm512_srli_epi64(b, 32);
    const __m512i low = _mm512_mul_epu32(a, b);
    const __m512i middle =
        _mm512_add_epi64(_mm512_mul_epu32(a_high, b), _mm512_srli_epi64(low, 32));
    const __m512i other =
        _mm512_add_epi64(_mm512_mul_epu32(a, b_high), _mm512_and_si512(middle, all(0xFFFFFFFF)));
    const __m512i high = _mm512_add_epi64(
        _mm512_add_epi64(_mm512_mul_epu32(a_high, b_high), _mm512_srli_epi64(middle, 32)),
        _mm512_srli_epi64(other, 32));
    // The lower half of the product is the lower half of `other` above that of `low`.
    const __m512i lower = _mm512_mask_mov_epi32(_mm512_slli_epi64(other, 32), 0x5555, low);
    return _mm512_xor_si512(lower, high);
}

/// Sixteen bytes from each of eight offsets: the first eight and the second eight.
struct Sixteen {
    __m512i first;
    __m512i second;
};

[[gnu::always_inline]] inline Sixteen load_sixteen(const std::uint8_t* bytes,
                                                   const std::uint32_t* starts) {
    // Loading into a lane costs less than half of a gather. Even and odd tokens are loaded apart,
    // so that unpacking puts the tokens in order.
    const auto load = [bytes](std::uint32_t at) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at));
    };
    const auto four = [&](std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
        __m512i lanes = _mm512_castsi128_si512(load(a));
        lanes = _mm512_mask_broadcast_i64x2(lanes, 0x0C, load(b));
        lanes = _mm512_mask_broadcast_i64x2(lanes, 0x30, load(c));
        return _mm512_mask_broadcast_i64x2(lanes, 0xC0, load(d));
    };
    const __m512i even = four(starts[0], starts[2], starts[4], starts[6]);
    const __m512i odd = four(starts[1], starts[3], starts[5], starts[7]);
    return {_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd)};
}

inline __m512i inner_hash(__m512i low, __m512i high) {
    return fold(_mm512_xor_si512(low, all(hashing::kRoot2)),
                _mm512_xor_si512(high, all(hashing::kRoot3)));
}

inline __m512i outer_hash(__m512i inner, __m512i length) {
    return fold(_mm512_xor_si512(inner, length), all(hashing::kRoot5));
}

/// `kShort`: most tokens have at most eight bytes, and eight tokens that all have are hashed by
/// fewer steps. They are short in scripts whose tokens are single characters; among words, the
/// branch would often be mispredicted.
template <bool kShort>
struct Avx512 {
    static constexpr bool kOneByOne = false;

    static void hash(const std::uint8_t* bytes, const std::uint32_t* starts,
                     const std::uint32_t* ends, std::size_t count, std::uint64_t* out) {
        std::size_t k = 0;
        for (; k + 8 <= count; k += 8) hash_eight(bytes, starts + k, ends + k, out + k);
        if (k == count) return;
        std::uint32_t last_starts[8] = {};
        std::uint32_t last_ends[8] = {};
        for (std::size_t i = 0; k + i < count; ++i) {
            last_starts[i] = starts[k + i];
            last_ends[i] = ends[k + i];
        }
        hash_eight(bytes, last_starts, last_ends, out + k);
    }

    static void extend(const std::uint64_t* shorter, const std::uint64_t* tokens, std::size_t count,
                       std::uint64_t* out) {
        for (std::size_t k = 0; k < count; k += 8) {
            const __m512i before = _mm512_loadu_si512(shorter + k);
            const __m512i token = _mm512_loadu_si512(tokens + k);
            _mm512_storeu_si512(out + k, fold(_mm512_xor_si512(before, all(hashing::kRoot7)),
                                              _mm512_xor_si512(token, all(hashing::kRoot11))));
        }
    }

    /// The upper half of hash * buckets, where buckets is below 2^32.
    static void buckets(const std::uint64_t* hashes, std::size_t count, std::uint32_t buckets,
                        std::uint32_t* out) {
        const __m512i factor = all(buckets);
        for (std::size_t k = 0; k < count; k += 8) {
            const __m512i hash = _mm512_loadu_si512(hashes + k);
            const __m512i low = _mm512_srli_epi64(_mm512_mul_epu32(hash, factor), 32);
            const __m512i high = _mm512_mul_epu32(_mm512_srli_epi64(hash, 32), factor);
            const __m512i bucket = _mm512_srli_epi64(_mm512_add_epi64(high, low), 32);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + k), _mm512_cvtepi64_epi32(bucket));
        }
    }

  private:
    static void hash_eight(const std::uint8_t* bytes, const std::uint32_t* starts,
                           const std::uint32_t* ends, std::uint64_t* out) {
        const __m256i start = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(starts));
        const __m256i end = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(ends));
        const __m512i length = _mm512_cvtepu32_epi64(_mm256_sub_epi32(end, start));
        const Sixteen read = load_sixteen(bytes, starts);
        if constexpr (kShort) {
            if (_mm512_cmpgt_epu64_mask(length, all(8)) == 0) [[likely]] {
                const __m512i missing = _mm512_sub_epi64(all(64), _mm512_slli_epi64(length, 3));
                const __m512i low =
                    _mm512_and_si512(read.first, _mm512_srlv_epi64(all(~0ULL), missing));
                _mm512_storeu_si512(out,
                                    outer_hash(inner_hash(low, _mm512_setzero_si512()), length));
                return;
            }
        }
        // The bits of the token after its first eight bytes; negative if the token is shorter. A
        // shift by 64 or more gives zero, and so does a shift by a negative number.
        const __m512i bits = _mm512_slli_epi64(_mm512_sub_epi64(length, all(8)), 3);
        const __m512i missing = _mm512_sub_epi64(_mm512_setzero_si512(), bits);
        const __mmask8 more = _mm512_cmpgt_epi64_mask(bits, _mm512_setzero_si512());
        const __m512i keep =
            _mm512_mask_mov_epi64(_mm512_srlv_epi64(all(~0ULL), missing), more, all(~0ULL));
        const __m512i low = _mm512_and_si512(read.first, keep);
        // The last eight bytes of a token of 9 to 16 bytes.
        const __m512i high =
            _mm512_maskz_or_epi64(more, _mm512_srlv_epi64(read.first, bits),
                                  _mm512_sllv_epi64(read.second, _mm512_sub_epi64(all(64), bits)));
        _mm512_storeu_si512(out, outer_hash(inner_hash(low, high), length));
        unsigned longer = _mm512_cmpgt_epu64_mask(length, all(16));
        for (; longer != 0; longer = _blsr_u32(longer)) {
            const unsigned i = _tzcnt_u32(longer);
            out[i] = hashing::token_hash(bytes + starts[i], ends[i] - starts[i]);
        }
    }
};

}  // namespace

std::size_t fast_ngrams_avx512(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                               FastNgramsBefore& before, std::uint32_t* out,
                               std::uint64_t* hashes) {
    if (have_at_most(7, tokens)) {
        return fast_ngrams<Avx512<true>>(tokens, n, buckets, before, out, hashes);
    }
    return fast_ngrams<Avx512<false>>(tokens, n, buckets, before, out, hashes);
}

void token_hashes_avx512(const TokenView& tokens, std::uint64_t* out) {
    Avx512<false>::hash(tokens.bytes, tokens.starts, tokens.ends, tokens.count, out);
}

HashSteps hash_steps_avx512() {
    return {&token_hashes_avx512, &Avx512<false>::extend, &Avx512<false>::buckets};
}

}  // namespace dsir::simd
#endif
