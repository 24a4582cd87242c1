#include "simd/philox_rows.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

namespace dsir::simd {

/// Four rows at a time, one in each 64-bit lane. The multiplication reads only the lower half of a
/// lane, so the upper halves may hold anything until the end.
void philox_rows_avx2(const PhiloxSettings& settings, std::uint64_t first_row,
                      const std::uint32_t* offsets, std::size_t count, std::uint32_t* words) {
    const auto word = [](std::uint64_t value) {
        return _mm256_set1_epi64x(static_cast<long long>(value & 0xFFFFFFFFU));
    };
    const __m256i factor0 = word(0xD2511F53);
    const __m256i factor1 = word(0xCD9E8D57);
    const __m256i first = _mm256_set1_epi64x(static_cast<long long>(first_row));
    __m256i keys0[10];
    __m256i keys1[10];
    for (std::uint64_t round = 0; round < 10; ++round) {
        keys0[round] = word(settings.key + round * 0x9E3779B9);
        keys1[round] = word((settings.key >> 32) + round * 0xBB67AE85);
    }
    const __m256i lower_halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    std::size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(offsets + i));
        __m256i counter0 = _mm256_add_epi64(first, _mm256_cvtepu32_epi64(four));
        __m256i counter1 = _mm256_srli_epi64(counter0, 32);
        __m256i counter2 = word(settings.third_word);
        __m256i counter3 = _mm256_setzero_si256();
        for (int round = 0; round < 10; ++round) {
            const __m256i product0 = _mm256_mul_epu32(factor0, counter0);
            const __m256i product1 = _mm256_mul_epu32(factor1, counter2);
            counter0 = _mm256_xor_si256(_mm256_srli_epi64(product1, 32),
                                        _mm256_xor_si256(counter1, keys0[round]));
            counter2 = _mm256_xor_si256(_mm256_srli_epi64(product0, 32),
                                        _mm256_xor_si256(counter3, keys1[round]));
            counter1 = product1;
            counter3 = product0;
        }
        const __m256i packed = _mm256_permutevar8x32_epi32(counter1, lower_halves);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(words + i), _mm256_castsi256_si128(packed));
    }
    philox_rows_scalar(settings, first_row, offsets + i, count - i, words + i);
}

}  // namespace dsir::simd

#endif
