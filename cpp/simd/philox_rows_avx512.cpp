#include "simd/philox_rows.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

namespace dsir::simd {

/// Sixteen rows at a time, in two halves, so that the multiplications of one half do not wait for
/// those of the other. Otherwise as philox_rows_avx2.
void philox_rows_avx512(const PhiloxSettings& settings, std::uint64_t first_row,
                        const std::uint32_t* offsets, std::size_t count, std::uint32_t* words) {
    const auto word = [](std::uint64_t value) {
        return _mm512_set1_epi64(static_cast<long long>(value & 0xFFFFFFFFU));
    };
    const __m512i factor0 = word(0xD2511F53);
    const __m512i factor1 = word(0xCD9E8D57);
    const __m512i first = _mm512_set1_epi64(static_cast<long long>(first_row));
    __m512i keys0[10];
    __m512i keys1[10];
    for (std::uint64_t round = 0; round < 10; ++round) {
        keys0[round] = word(settings.key + round * 0x9E3779B9);
        keys1[round] = word((settings.key >> 32) + round * 0xBB67AE85);
    }
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        __m512i counter0[2];
        __m512i counter1[2];
        __m512i counter2[2];
        __m512i counter3[2];
        for (int half = 0; half < 2; ++half) {
            const __m256i eight =
                _mm256_loadu_si256(reinterpret_cast<const __m256i*>(offsets + i + half * 8));
            counter0[half] = _mm512_add_epi64(first, _mm512_cvtepu32_epi64(eight));
            counter1[half] = _mm512_srli_epi64(counter0[half], 32);
            counter2[half] = word(settings.third_word);
            counter3[half] = _mm512_setzero_si512();
        }
        for (int round = 0; round < 10; ++round) {
            for (int half = 0; half < 2; ++half) {
                const __m512i product0 = _mm512_mul_epu32(factor0, counter0[half]);
                const __m512i product1 = _mm512_mul_epu32(factor1, counter2[half]);
                // 0x96 is the exclusive or of three values.
                counter0[half] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product1, 32),
                                                           counter1[half], keys0[round], 0x96);
                counter2[half] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product0, 32),
                                                           counter3[half], keys1[round], 0x96);
                counter1[half] = product1;
                counter3[half] = product0;
            }
        }
        for (int half = 0; half < 2; ++half) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + i + half * 8),
                                _mm512_cvtepi64_epi32(counter1[half]));
        }
    }
    philox_rows_scalar(settings, first_row, offsets + i, count - i, words + i);
}

}  // namespace dsir::simd
#endif
