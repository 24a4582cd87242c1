#include "simd/possible_rows.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include <bit>
#include <limits>

namespace dsir::simd {

std::size_t possible_rows_avx512(const NoiseNeeded& needed, const double* log_weight,
                                 const std::uint8_t* eligible, std::uint32_t size,
                                 std::uint32_t* offsets, std::uint32_t* words) {
    const __m512d temperature = _mm512_set1_pd(needed.temperature);
    const bool divides = needed.temperature != 1.0;
    const __m512d bar = _mm512_set1_pd(needed.bar);
    const __m512d least = _mm512_set1_pd(needed.least_noise);
    const __m512d most = _mm512_set1_pd(needed.most_noise);
    const __m512d most_steps = _mm512_set1_pd(needed.table_top - needed.least_noise);
    const __m512d steps = _mm512_set1_pd(needed.steps_a_unit);
    const __m512d infinite = _mm512_set1_pd(-std::numeric_limits<double>::infinity());
    __m256i offset = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    std::size_t count = 0;
    for (std::uint32_t at = 0; at < size; at += 8) {
        const std::uint32_t left = size - at;
        const auto there = static_cast<__mmask8>(left >= 8 ? 0xFF : (1U << left) - 1);
        const __m512d plain = _mm512_maskz_loadu_pd(there, log_weight + at);
        const __m512d scaled = divides ? _mm512_div_pd(plain, temperature) : plain;
        __mmask8 kept = static_cast<__mmask8>(
            _mm512_mask_cmp_pd_mask(there, _mm512_add_pd(scaled, most), bar, _CMP_GE_OQ));
        if (kept != 0) {
            if (eligible == nullptr) {
                kept = static_cast<__mmask8>(
                    _mm512_mask_cmp_pd_mask(kept, plain, infinite, _CMP_GT_OQ));
            } else {
                const __m128i flags = _mm_maskz_loadu_epi8(there, eligible + at);
                kept = static_cast<__mmask8>(_mm_mask_test_epi8_mask(kept, flags, flags));
            }
            const __m512d wanted = _mm512_sub_pd(bar, scaled);
            const auto more = static_cast<__mmask8>(_mm512_cmp_pd_mask(wanted, least, _CMP_GT_OQ));
            const __m512d above = _mm512_maskz_sub_pd(more, wanted, least);
            const __m512d step = _mm512_mul_pd(_mm512_min_pd(above, most_steps), steps);
            const __m256i word = _mm256_mmask_i32gather_epi32(
                _mm256_setzero_si256(), kept, _mm512_cvttpd_epi32(step), needed.words, 4);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(offsets + count),
                                _mm256_maskz_compress_epi32(kept, offset));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(words + count),
                                _mm256_maskz_compress_epi32(kept, word));
            count += static_cast<std::size_t>(std::popcount(static_cast<unsigned>(kept)));
        }
        offset = _mm256_add_epi32(offset, _mm256_set1_epi32(8));
    }
    return count;
}

}  // namespace dsir::simd
#endif
