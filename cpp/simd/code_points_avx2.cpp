#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "simd/code_points_loop.hpp"
#include "simd/packing.hpp"

namespace dsir::simd {
namespace {

inline __m256i load(const void* at) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

inline std::uint64_t bits(__m256i low, __m256i high) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
           (std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high))} << 32);
}

class Avx2 {
  public:
    explicit Avx2(const std::uint8_t* block)
        : block_(block), low_(load(block)), high_(load(block + 32)) {}

    std::uint64_t beyond() const { return bits(low_, high_); }

    LeadMasks leads() const {
        const std::uint64_t e0 = in_range(0xE0, 0xE0);
        // A continuation below A0 after each E0.
        const std::uint64_t overlong = e0 == 0 ? 0 : e0 & (in_range(0x80, 0x9F) >> 1);
        return {beyond(), in_range(0xC0, 0xFF), in_range(0xE0, 0xFF),
                in_range(0xF0, 0xFF) | in_range(0xC0, 0xC1) | overlong};
    }

    std::uint64_t space() const { return in_range(0x09, 0x0D) | in_range(0x1C, 0x20); }

    void write(bool lower, std::uint16_t* out) const {
        const __m256i step = _mm256_set1_epi16(lower ? 0x20 : 0);
        for (std::size_t i = 0; i < 64; i += 16) write_16(block_ + i, step, out + i);
    }

    std::size_t pack_ascii(bool lower, std::uint64_t mask, std::uint16_t* out) const {
        const __m128i step = _mm_set1_epi16(lower ? 0x20 : 0);
        const auto above = [](__m128i lanes, short most) {
            return _mm_cmpgt_epi16(lanes, _mm_set1_epi16(most));
        };
        std::size_t size = 0;
        for (std::size_t i = 0; i < 64; i += 8, mask >>= 8) {
            const __m128i eight =
                _mm_cvtepu8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(block_ + i)));
            const __m128i capital = _mm_andnot_si128(above(eight, 'Z'), above(eight, 'A' - 1));
            size += pack(_mm_add_epi16(eight, _mm_and_si128(capital, step)), mask, out + size);
        }
        return size;
    }

    static std::uint64_t entries_in(const std::uint16_t* entries, std::uint16_t first,
                                    std::uint16_t last) {
        const __m256i from = _mm256_set1_epi16(static_cast<short>(first));
        const __m256i most = _mm256_set1_epi16(static_cast<short>(last - first));
        const auto are = [&](const std::uint16_t* at) {
            const __m256i shifted = _mm256_sub_epi16(load(at), from);
            return _mm256_cmpeq_epi16(_mm256_min_epu16(shifted, most), shifted);
        };
        const auto half = [&](const std::uint16_t* at) {
            // The packing takes the four halves of 128 bits in turn.
            return _mm256_permute4x64_epi64(_mm256_packs_epi16(are(at), are(at + 16)), 0xD8);
        };
        return bits(half(entries), half(entries + 32));
    }

    static bool any_from(const std::uint16_t* entries, std::size_t count, std::uint16_t least) {
        __m256i most = _mm256_setzero_si256();
        for (std::size_t i = 0; i < count; i += 16) {
            most = _mm256_max_epu16(most, load(entries + i));
        }
        const __m256i from = _mm256_set1_epi16(static_cast<short>(least));
        return _mm256_movemask_epi8(_mm256_cmpeq_epi16(_mm256_max_epu16(most, from), most)) != 0;
    }

  private:
    std::uint64_t in_range(std::uint8_t first, std::uint8_t last) const {
        const __m256i from = _mm256_set1_epi8(static_cast<char>(first));
        const __m256i most = _mm256_set1_epi8(static_cast<char>(last - first));
        const auto half = [&](__m256i bytes) {
            const __m256i shifted = _mm256_sub_epi8(bytes, from);
            return _mm256_cmpeq_epi8(_mm256_min_epu8(shifted, most), shifted);
        };
        return bits(half(low_), half(high_));
    }

    static __m256i widened(const std::uint8_t* at) {
        return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
    }

    static void write_16(const std::uint8_t* at, __m256i step, std::uint16_t* out) {
        const __m256i low_six = _mm256_set1_epi16(0x3F);
        const auto above = [](__m256i lanes, short most) {
            return _mm256_cmpgt_epi16(lanes, _mm256_set1_epi16(most));
        };
        const __m256i lead = widened(at);
        const __m256i second = _mm256_and_si256(widened(at + 1), low_six);
        const __m256i third = _mm256_and_si256(widened(at + 2), low_six);
        const __m256i two = _mm256_add_epi16(_mm256_slli_epi16(lead, 6), second);
        const __m256i capital = _mm256_andnot_si256(above(lead, 'Z'), above(lead, 'A' - 1));
        __m256i found = _mm256_add_epi16(lead, _mm256_and_si256(capital, step));
        found = _mm256_blendv_epi8(found, _mm256_sub_epi16(two, _mm256_set1_epi16(0xC0 << 6)),
                                   above(lead, 0xBF));
        // The upper bits of the lead are shifted out.
        found = _mm256_blendv_epi8(found, _mm256_add_epi16(_mm256_slli_epi16(two, 6), third),
                                   above(lead, 0xDF));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), found);
    }

    const std::uint8_t* block_;
    __m256i low_;
    __m256i high_;
};

}  // namespace

const CodePointKernels kCodePointsAvx2 = {CodePointLoop<Avx2>::code_points,
                                          CodePointLoop<Avx2>::number_characters};

}  // namespace dsir::simd
#endif
