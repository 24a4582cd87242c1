#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "simd/pair_counts_loop.hpp"
#include "simd/pairs_of_eight.hpp"

namespace dsir::simd {
namespace {

struct Avx512 : PairsOfEight {
    static constexpr bool kTellsApart = true;

    static std::uint64_t large(const std::uint16_t* numbers) {
        const __m512i least = _mm512_set1_epi16(kSmallNumbers);
        const auto half = [least](const std::uint16_t* at) {
            return std::uint64_t{_mm512_cmpge_epu16_mask(_mm512_loadu_si512(at), least)};
        };
        return half(numbers) | (half(numbers + 32) << 32);
    }

    static void low_bytes(const std::uint16_t* numbers, std::uint8_t* out) {
        for (std::size_t i = 0; i < 64; i += 32) {
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i),
                                _mm512_cvtepi16_epi8(_mm512_loadu_si512(numbers + i)));
        }
        out[64] = static_cast<std::uint8_t>(numbers[64]);
    }
};

}  // namespace

std::size_t count_pairs_avx512(const std::uint16_t* numbers, std::size_t pairs,
                               const PairTables& tables, std::uint32_t* found) {
    return PairLoop<Avx512>::run(numbers, pairs, tables, found);
}

}  // namespace dsir::simd
#endif
