#include "simd/json_strings_loop.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

namespace dsir::simd {
namespace {

struct Avx2 {
    using Mask = std::uint32_t;
    static constexpr std::size_t kSize = 32;

    static __m256i zero() { return _mm256_setzero_si256(); }
    static __m256i load(const std::uint8_t* at) {
        return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
    }
    static __m256i load_some(const std::uint8_t* at, std::size_t size) {
        alignas(32) std::uint8_t bytes[32] = {};
        for (std::size_t i = 0; i < size; ++i) bytes[i] = at[i];
        return _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
    }
    static void store(std::uint8_t* out, __m256i bytes) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bytes);
    }
    static Mask first(std::size_t size) { return size >= 32 ? ~Mask{0} : (Mask{1} << size) - 1; }
    static Mask high(__m256i bytes) { return static_cast<Mask>(_mm256_movemask_epi8(bytes)); }
    static bool has_high(__m256i bytes) { return high(bytes) != 0; }
    static std::size_t lowest(Mask mask) { return static_cast<std::size_t>(_tzcnt_u32(mask)); }
    static Mask stops(__m256i bytes) {
        const __m256i quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'));
        const __m256i backslash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'));
        const __m256i control = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, _mm256_set1_epi8(0x1F)),
                                                  _mm256_set1_epi8(0x1F));
        return high(_mm256_or_si256(_mm256_or_si256(quote, backslash), control));
    }
    static __m256i either(__m256i a, __m256i b) { return _mm256_or_si256(a, b); }
    static bool is_zero(__m256i bytes) { return _mm256_testz_si256(bytes, bytes) != 0; }

    static __m256i table(const std::uint8_t* entries) {
        return _mm256_broadcastsi128_si256(
            _mm_load_si128(reinterpret_cast<const __m128i*>(entries)));
    }
    static __m256i upper_half(__m256i bytes) {
        return _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
    }
    static __m256i utf8_errors(__m256i before, __m256i bytes) {
        const __m256i carried = _mm256_permute2x128_si256(before, bytes, 0x21);
        const __m256i back1 = _mm256_alignr_epi8(bytes, carried, 15);
        const __m256i back2 = _mm256_alignr_epi8(bytes, carried, 14);
        const __m256i back3 = _mm256_alignr_epi8(bytes, carried, 13);
        const __m256i low = _mm256_and_si256(back1, _mm256_set1_epi8(0x0F));
        const __m256i pair = _mm256_and_si256(
            _mm256_and_si256(_mm256_shuffle_epi8(table(kFirstHigh), upper_half(back1)),
                             _mm256_shuffle_epi8(table(kFirstLow), low)),
            _mm256_shuffle_epi8(table(kSecondHigh), upper_half(bytes)));
        // E0 and above need a third byte, F0 and above a fourth.
        const __m256i third = _mm256_subs_epu8(back2, _mm256_set1_epi8(0x60));
        const __m256i fourth = _mm256_subs_epu8(back3, _mm256_set1_epi8(0x70));
        const __m256i wanted = _mm256_and_si256(_mm256_or_si256(third, fourth),
                                                _mm256_set1_epi8(static_cast<char>(0x80)));
        return _mm256_xor_si256(wanted, pair);
    }
};

}  // namespace

const JsonStringKernels kJsonStringsAvx2 = {skip_plain<Avx2>, copy_plain<Avx2>, is_utf8<Avx2>};

}  // namespace dsir::simd
#endif
