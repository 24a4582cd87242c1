#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "simd/fast_ngrams_loop.hpp"

namespace dsir::simd {
namespace {

struct Avx2 : OneByOne<Avx2> {
    /// hashing::token_hash with a single branch, which is taken for tokens of more than 16 bytes.
    /// Those are few; a branch among shorter tokens would often be mispredicted.
    static std::uint64_t token_hash(const std::uint8_t* bytes, std::size_t length) {
        if (length > 16) [[unlikely]]
            return hashing::token_hash(bytes, length);
        // The first eight bytes of the token, or as many as it has: BZHI keeps all bits when asked
        // for 64 or more. Then the last eight bytes if the token has more than eight, else zero.
        const std::uint64_t low =
            _bzhi_u64(hashing::load64(bytes), static_cast<unsigned>(8 * length));
        const std::uint64_t more = length > 8 ? ~std::uint64_t{0} : 0;
        const std::uint64_t high = hashing::load64(bytes + ((length - 8) & more)) & more;
        using hashing::fold;
        return fold(fold(low ^ hashing::kRoot2, high ^ hashing::kRoot3) ^ length, hashing::kRoot5);
    }
};

inline __m256i all(std::uint64_t value) {
    return _mm256_set1_epi64x(static_cast<long long>(value));
}

inline __m256i load_four(const std::uint64_t* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

inline void store_four(std::uint64_t* at, __m256i four) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), four);
}

/// hashing::fold of four pairs, from four 32-bit products each. None of the sums overflows.
inline __m256i fold(__m256i a, __m256i b) {
    const __m256i a_high = _mm256_srli_epi64(a, 32);
    const __m256i b_high = _mm256_srli_epi64(b, 32);
    const __m256i low = _mm256_mul_epu32(a, b);
    const __m256i middle =
        _mm256_add_epi64(_mm256_mul_epu32(a_high, b), _mm256_srli_epi64(low, 32));
    const __m256i other =
        _mm256_add_epi64(_mm256_mul_epu32(a, b_high), _mm256_and_si256(middle, all(0xFFFFFFFF)));
    const __m256i high = _mm256_add_epi64(
        _mm256_add_epi64(_mm256_mul_epu32(a_high, b_high), _mm256_srli_epi64(middle, 32)),
        _mm256_srli_epi64(other, 32));
    // The lower half of the product is the lower half of `other` above that of `low`.
    const __m256i lower = _mm256_blend_epi32(_mm256_slli_epi64(other, 32), low, 0x55);
    return _mm256_xor_si256(lower, high);
}

/// Four tokens at once. They are short in scripts whose tokens are single characters; words are
/// too often longer than eight bytes for the branch.
struct ShortAvx2 {
    static constexpr bool kOneByOne = false;

    static void hash(const std::uint8_t* bytes, const std::uint32_t* starts,
                     const std::uint32_t* ends, std::size_t count, std::uint64_t* out) {
        std::size_t k = 0;
        for (; k + 4 <= count; k += 4) {
            const __m128i start = _mm_loadu_si128(reinterpret_cast<const __m128i*>(starts + k));
            const __m128i end = _mm_loadu_si128(reinterpret_cast<const __m128i*>(ends + k));
            const __m128i length = _mm_sub_epi32(end, start);
            const __m128i longer = _mm_cmpgt_epi32(length, _mm_set1_epi32(8));
            if (_mm_movemask_epi8(longer) == 0) [[likely]] {
                store_four(out + k, hash_four(bytes, starts + k, _mm256_cvtepu32_epi64(length)));
            } else {
                Avx2::hash(bytes, starts + k, ends + k, 4, out + k);
            }
        }
        Avx2::hash(bytes, starts + k, ends + k, count - k, out + k);
    }

    static void extend(const std::uint64_t* shorter, const std::uint64_t* tokens, std::size_t count,
                       std::uint64_t* out) {
        for (std::size_t k = 0; k < count; k += 4) {
            store_four(out + k,
                       fold(_mm256_xor_si256(load_four(shorter + k), all(hashing::kRoot7)),
                            _mm256_xor_si256(load_four(tokens + k), all(hashing::kRoot11))));
        }
    }

    static void buckets(const std::uint64_t* hashes, std::size_t count, std::uint32_t buckets,
                        std::uint32_t* out) {
        const __m256i factor = all(buckets);
        for (std::size_t k = 0; k < count; k += 8) {
            const __m256i low = buckets_of(load_four(hashes + k), factor);
            const __m256i high = buckets_of(load_four(hashes + k + 4), factor);
            // The upper half of each sum; then the two halves of each lane in order.
            const __m256i mixed = _mm256_castps_si256(
                _mm256_shuffle_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), 0b11011101));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + k),
                                _mm256_permute4x64_epi64(mixed, 0b11011000));
        }
    }

  private:
    /// Four tokens of at most eight bytes.
    static __m256i hash_four(const std::uint8_t* bytes, const std::uint32_t* starts,
                             __m256i length) {
        const auto two = [bytes](std::uint32_t a, std::uint32_t b) {
            const __m128i first = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes + a));
            return _mm_castpd_si128(
                _mm_loadh_pd(_mm_castsi128_pd(first), reinterpret_cast<const double*>(bytes + b)));
        };
        const __m256i read = _mm256_set_m128i(two(starts[2], starts[3]), two(starts[0], starts[1]));
        const __m256i missing = _mm256_sub_epi64(all(64), _mm256_slli_epi64(length, 3));
        const __m256i low = _mm256_and_si256(read, _mm256_srlv_epi64(all(~0ULL), missing));
        const __m256i inner =
            fold(_mm256_xor_si256(low, all(hashing::kRoot2)), all(hashing::kRoot3));
        return fold(_mm256_xor_si256(inner, length), all(hashing::kRoot5));
    }

    /// hash * buckets, shifted right by 32 bits.
    static __m256i buckets_of(__m256i hash, __m256i factor) {
        const __m256i low = _mm256_srli_epi64(_mm256_mul_epu32(hash, factor), 32);
        return _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(hash, 32), factor), low);
    }
};

}  // namespace

std::size_t fast_ngrams_avx2(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                             FastNgramsBefore& before, std::uint32_t* out, std::uint64_t* hashes) {
    if (have_at_most(9, tokens)) {
        return fast_ngrams<ShortAvx2>(tokens, n, buckets, before, out, hashes);
    }
    return fast_ngrams<Avx2>(tokens, n, buckets, before, out, hashes);
}

void token_hashes_avx2(const TokenView& tokens, std::uint64_t* out) {
    Avx2::hash(tokens.bytes, tokens.starts, tokens.ends, tokens.count, out);
}

HashSteps hash_steps_avx2() {
    return {&token_hashes_avx2, &Avx2::extend, &Avx2::buckets};
}

}  // namespace dsir::simd
#endif
