#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "simd/pair_counts_loop.hpp"
#include "simd/pairs_of_eight.hpp"

namespace dsir::simd {
namespace {

struct Avx2 : PairsOfEight {
    static constexpr bool kTellsApart = true;

    static std::uint64_t large(const std::uint16_t* numbers) {
        return large_half(numbers) | (std::uint64_t{large_half(numbers + 32)} << 32);
    }

    static void low_bytes(const std::uint16_t* numbers, std::uint8_t* out) {
        const __m256i low = _mm256_set1_epi16(0xFF);
        for (std::size_t i = 0; i < 64; i += 32) {
            const __m256i a = _mm256_and_si256(load(numbers + i), low);
            const __m256i b = _mm256_and_si256(load(numbers + i + 16), low);
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i),
                                _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xD8));
        }
        out[64] = static_cast<std::uint8_t>(numbers[64]);
    }

  private:
    static __m256i load(const std::uint16_t* at) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    }

    static std::uint32_t large_half(const std::uint16_t* numbers) {
        // Bytes that are not zero, in the order of the numbers.
        const __m256i high = _mm256_packus_epi16(_mm256_srli_epi16(load(numbers), 8),
                                                 _mm256_srli_epi16(load(numbers + 16), 8));
        const __m256i small =
            _mm256_cmpeq_epi8(_mm256_permute4x64_epi64(high, 0xD8), _mm256_setzero_si256());
        return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(small));
    }
};

}  // namespace

std::size_t count_pairs_avx2(const std::uint16_t* numbers, std::size_t pairs,
                             const PairTables& tables, std::uint32_t* found) {
    return PairLoop<Avx2>::run(numbers, pairs, tables, found);
}

}  // namespace dsir::simd
#endif
