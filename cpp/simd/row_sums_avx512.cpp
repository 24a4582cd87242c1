#include "simd/row_sums.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

namespace dsir::simd {

void add_rows_avx512(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                     std::int64_t* sums) {
    __m512i sum = _mm512_loadu_si512(sums);
    for (std::size_t i = 0; i < count; ++i) {
        sum = _mm512_add_epi64(sum, _mm512_load_si512(table + std::size_t{chosen[i]} * 8));
    }
    _mm512_storeu_si512(sums, sum);
}

}  // namespace dsir::simd
#endif
