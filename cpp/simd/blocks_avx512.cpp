#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "simd/cut_blocks.hpp"

namespace dsir::simd {
namespace {

/// The bytes b with first <= b < first + count. The subtraction wraps, so one comparison is enough.
inline __mmask64 in_range(__m512i bytes, char first, char count) {
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(first)),
                                  _mm512_set1_epi8(count));
}

inline __m512i lower_of(__m512i bytes) {
    return _mm512_mask_add_epi8(bytes, in_range(bytes, 'A', 26), bytes, _mm512_set1_epi8(0x20));
}

class Avx512 {
  public:
    explicit Avx512(const std::uint8_t* block) : bytes_(_mm512_loadu_si512(block)) {}

    std::uint64_t bytes_in(std::uint8_t first, std::uint8_t last) const {
        return in_range(bytes_, static_cast<char>(first), static_cast<char>(last - first + 1));
    }

    std::uint64_t bytes_from(std::uint8_t first) const {
        return _mm512_cmpge_epu8_mask(bytes_, _mm512_set1_epi8(static_cast<char>(first)));
    }

    static BlockMasks classify(const std::uint8_t* in, std::uint8_t* lowered) {
        const __m512i bytes = _mm512_loadu_si512(in);
        const __m512i lower = lower_of(bytes);
        _mm512_storeu_si512(lowered, lower);
        const __mmask64 word = in_range(lower, 'a', 26) | in_range(lower, '0', 10) |
                               _mm512_cmpeq_epi8_mask(lower, _mm512_set1_epi8('_'));
        const __mmask64 space = in_range(lower, 0x09, 5) | in_range(lower, 0x1C, 5);
        return {word, space, _mm512_movepi8_mask(bytes)};
    }

    static std::uint64_t lower(const std::uint8_t* in, std::uint8_t* lowered) {
        const __m512i bytes = _mm512_loadu_si512(in);
        _mm512_storeu_si512(lowered, lower_of(bytes));
        return _mm512_movepi8_mask(bytes);
    }

    /// Compresses the numbers of the set bits out of 0 to 63, and widens them sixteen at a time. In
    /// ordinary text up to half of a block's bytes start a token, so two times sixteen entries are
    /// always written.
    static std::size_t append(std::uint64_t mask, std::uint32_t offset, std::uint32_t* out) {
        const __m512i numbers = _mm512_set_epi8(
            63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42,
            41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20,
            19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        const auto count = static_cast<std::size_t>(_mm_popcnt_u64(mask));
        const __m512i set = _mm512_maskz_compress_epi8(mask, numbers);
        const __m512i from = _mm512_set1_epi32(static_cast<int>(offset));
        const auto write = [from, out](std::size_t at, __m128i sixteen) {
            _mm512_storeu_si512(out + at, _mm512_add_epi32(from, _mm512_cvtepu8_epi32(sixteen)));
        };
        write(0, _mm512_castsi512_si128(set));
        write(16, _mm512_extracti32x4_epi32(set, 1));
        if (count > 32) [[unlikely]] {
            write(32, _mm512_extracti32x4_epi32(set, 2));
            write(48, _mm512_extracti32x4_epi32(set, 3));
        }
        return count;
    }

    static std::size_t pack(const std::uint8_t* block, std::uint64_t mask, std::uint8_t* out) {
        _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(mask, _mm512_loadu_si512(block)));
        return static_cast<std::size_t>(_mm_popcnt_u64(mask));
    }

  private:
    __m512i bytes_;
};

BlockMasks classify(const std::uint8_t* in, std::uint8_t* lowered) {
    return Avx512::classify(in, lowered);
}

}  // namespace

const CutKernels kCutAvx512 = {classify,
                               classify_known<Avx512>,
                               find_characters<Avx512>,
                               lower_block<Avx512>,
                               Avx512::append,
                               cut_ascii<Avx512>,
                               cut_part<Avx512>,
                               drop_space<Avx512>,
                               pass_sure<OfFormC<Avx512>>,
                               pass_sure<OfFormKc<Avx512>>};

}  // namespace dsir::simd
#endif
