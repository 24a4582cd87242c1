#include "simd/json_strings_loop.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

namespace dsir::simd {
namespace {

struct Avx512 {
    using Mask = std::uint64_t;
    static constexpr std::size_t kSize = 64;

    static __m512i zero() { return _mm512_setzero_si512(); }
    static __m512i load(const std::uint8_t* at) { return _mm512_loadu_si512(at); }
    static __m512i load_some(const std::uint8_t* at, std::size_t size) {
        return _mm512_maskz_loadu_epi8(first(size), at);
    }
    static void store(std::uint8_t* out, __m512i bytes) { _mm512_storeu_si512(out, bytes); }
    static Mask first(std::size_t size) {
        return _bzhi_u64(~Mask{0}, size >= 64 ? 64U : static_cast<unsigned>(size));
    }
    static Mask high(__m512i bytes) { return _mm512_movepi8_mask(bytes); }
    static bool has_high(__m512i bytes) { return high(bytes) != 0; }
    static std::size_t lowest(Mask mask) { return static_cast<std::size_t>(_tzcnt_u64(mask)); }
    static Mask stops(__m512i bytes) {
        return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"')) |
               _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\\')) |
               _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20));
    }
    static __m512i either(__m512i a, __m512i b) { return _mm512_or_si512(a, b); }
    static bool is_zero(__m512i bytes) { return _mm512_test_epi8_mask(bytes, bytes) == 0; }

    static __m512i table(const std::uint8_t* entries) {
        return _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(entries)));
    }
    static __m512i upper_half(__m512i bytes) {
        return _mm512_and_si512(_mm512_srli_epi16(bytes, 4), _mm512_set1_epi8(0x0F));
    }
    static __m512i utf8_errors(__m512i before, __m512i bytes) {
        const __m512i carried = _mm512_alignr_epi32(bytes, before, 12);
        const __m512i back1 = _mm512_alignr_epi8(bytes, carried, 15);
        const __m512i back2 = _mm512_alignr_epi8(bytes, carried, 14);
        const __m512i back3 = _mm512_alignr_epi8(bytes, carried, 13);
        const __m512i low = _mm512_and_si512(back1, _mm512_set1_epi8(0x0F));
        const __m512i pair = _mm512_and_si512(
            _mm512_and_si512(_mm512_shuffle_epi8(table(kFirstHigh), upper_half(back1)),
                             _mm512_shuffle_epi8(table(kFirstLow), low)),
            _mm512_shuffle_epi8(table(kSecondHigh), upper_half(bytes)));
        // E0 and above need a third byte, F0 and above a fourth.
        const __m512i third = _mm512_subs_epu8(back2, _mm512_set1_epi8(0x60));
        const __m512i fourth = _mm512_subs_epu8(back3, _mm512_set1_epi8(0x70));
        const __m512i wanted = _mm512_and_si512(_mm512_or_si512(third, fourth),
                                                _mm512_set1_epi8(static_cast<char>(0x80)));
        return _mm512_xor_si512(wanted, pair);
    }
};

}  // namespace

const JsonStringKernels kJsonStringsAvx512 = {skip_plain<Avx512>, copy_plain<Avx512>,
                                              is_utf8<Avx512>};

}  // namespace dsir::simd
#endif
