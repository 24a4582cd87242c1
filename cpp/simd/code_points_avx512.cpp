#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "simd/code_points_loop.hpp"

namespace dsir::simd {
namespace {

class Avx512 {
  public:
    explicit Avx512(const std::uint8_t* block) : block_(block), bytes_(_mm512_loadu_si512(block)) {}

    std::uint64_t beyond() const { return _mm512_movepi8_mask(bytes_); }

    LeadMasks leads() const {
        const __mmask64 e0 = _mm512_cmpeq_epi8_mask(bytes_, _mm512_set1_epi8('\xE0'));
        const __mmask64 overlong = _mm512_mask_cmplt_epu8_mask(e0, _mm512_loadu_si512(block_ + 1),
                                                               _mm512_set1_epi8('\xA0'));
        return {beyond(), from(0xC0), from(0xE0), from(0xF0) | in_range('\xC0', 2) | overlong};
    }

    std::uint64_t space() const { return in_range(0x09, 5) | in_range(0x1C, 5); }

    void write(bool lower, std::uint16_t* out) const {
        const __mmask64 capital = lower ? in_range('A', 26) : 0;
        write_32(block_, static_cast<__mmask32>(capital), out);
        write_32(block_ + 32, static_cast<__mmask32>(capital >> 32), out + 32);
    }

    std::size_t pack_ascii(bool lower, std::uint64_t mask, std::uint16_t* out) const {
        const __mmask64 capital = lower ? in_range('A', 26) : 0;
        const __m512i cased = _mm512_mask_add_epi8(bytes_, capital, bytes_, _mm512_set1_epi8(0x20));
        const __m512i left = _mm512_maskz_compress_epi8(mask, cased);
        _mm512_storeu_si512(out, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(left)));
        _mm512_storeu_si512(out + 32, _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(left, 1)));
        return static_cast<std::size_t>(_mm_popcnt_u64(mask));
    }

    static std::uint64_t entries_in(const std::uint16_t* entries, std::uint16_t first,
                                    std::uint16_t last) {
        const __m512i from = _mm512_set1_epi16(static_cast<short>(first));
        const __m512i most = _mm512_set1_epi16(static_cast<short>(last - first));
        const auto half = [&](const std::uint16_t* at) {
            return _mm512_cmple_epu16_mask(_mm512_sub_epi16(_mm512_loadu_si512(at), from), most);
        };
        const std::uint64_t high = half(entries + 32);
        return half(entries) | (high << 32);
    }

    static bool any_from(const std::uint16_t* entries, std::size_t count, std::uint16_t least) {
        __m512i most = _mm512_setzero_si512();
        for (std::size_t i = 0; i < count; i += 32) {
            most = _mm512_max_epu16(most, _mm512_loadu_si512(entries + i));
        }
        return _mm512_cmpge_epu16_mask(most, _mm512_set1_epi16(static_cast<short>(least))) != 0;
    }

  private:
    __mmask64 in_range(char first, char count) const {
        return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes_, _mm512_set1_epi8(first)),
                                      _mm512_set1_epi8(count));
    }

    __mmask64 from(std::uint8_t least) const {
        return _mm512_cmpge_epu8_mask(bytes_, _mm512_set1_epi8(static_cast<char>(least)));
    }

    static __m512i widened(const std::uint8_t* at) {
        return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
    }

    static void write_32(const std::uint8_t* at, __mmask32 capital, std::uint16_t* out) {
        const __m512i low_six = _mm512_set1_epi16(0x3F);
        const auto at_least = [](__m512i lanes, short least) {
            return _mm512_cmpge_epu16_mask(lanes, _mm512_set1_epi16(least));
        };
        const __m512i lead = widened(at);
        const __m512i second = _mm512_and_si512(widened(at + 1), low_six);
        const __m512i third = _mm512_and_si512(widened(at + 2), low_six);
        const __m512i two = _mm512_add_epi16(_mm512_slli_epi16(lead, 6), second);
        __m512i found = _mm512_mask_add_epi16(lead, capital, lead, _mm512_set1_epi16(0x20));
        found =
            _mm512_mask_sub_epi16(found, at_least(lead, 0xC0), two, _mm512_set1_epi16(0xC0 << 6));
        // The upper bits of the lead are shifted out.
        found =
            _mm512_mask_add_epi16(found, at_least(lead, 0xE0), _mm512_slli_epi16(two, 6), third);
        _mm512_storeu_si512(out, found);
    }

    const std::uint8_t* block_;
    __m512i bytes_;
};

}  // namespace

const CodePointKernels kCodePointsAvx512 = {CodePointLoop<Avx512>::code_points,
                                            CodePointLoop<Avx512>::number_characters};

}  // namespace dsir::simd
#endif
