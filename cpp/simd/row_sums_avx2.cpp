#include "simd/row_sums.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

namespace dsir::simd {

void add_rows_avx2(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                   std::int64_t* sums) {
    auto* const out = reinterpret_cast<__m256i*>(sums);
    __m256i low = _mm256_loadu_si256(out);
    __m256i high = _mm256_loadu_si256(out + 1);
    for (std::size_t i = 0; i < count; ++i) {
        const auto* const row =
            reinterpret_cast<const __m256i*>(table + std::size_t{chosen[i]} * 8);
        low = _mm256_add_epi64(low, _mm256_load_si256(row));
        high = _mm256_add_epi64(high, _mm256_load_si256(row + 1));
    }
    _mm256_storeu_si256(out, low);
    _mm256_storeu_si256(out + 1, high);
}

}  // namespace dsir::simd
#endif
