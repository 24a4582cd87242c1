#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include <array>

#include "simd/cut_blocks.hpp"

namespace dsir::simd {
namespace {

struct HalfMasks {
    std::uint32_t word;
    std::uint32_t space;
    std::uint32_t non_ascii;
};

/// 0xFF for every byte b with first <= b < first + count. The subtraction wraps, so one comparison
/// is enough.
inline __m256i in_range(__m256i bytes, char first, char count) {
    const __m256i shifted = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first));
    const __m256i last = _mm256_set1_epi8(static_cast<char>(count - 1));
    return _mm256_cmpeq_epi8(_mm256_min_epu8(shifted, last), shifted);
}

inline std::uint32_t bits(__m256i mask) {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(mask));
}

inline __m256i lower_of(__m256i bytes) {
    const __m256i upper = in_range(bytes, 'A', 26);
    return _mm256_add_epi8(bytes, _mm256_and_si256(upper, _mm256_set1_epi8(0x20)));
}

inline HalfMasks classify_half(const std::uint8_t* in, std::uint8_t* lowered) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
    const __m256i lower = lower_of(bytes);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(lowered), lower);
    const __m256i letter_or_digit =
        _mm256_or_si256(in_range(lower, 'a', 26), in_range(lower, '0', 10));
    const __m256i word =
        _mm256_or_si256(letter_or_digit, _mm256_cmpeq_epi8(lower, _mm256_set1_epi8('_')));
    const __m256i space = _mm256_or_si256(in_range(lower, 0x09, 5), in_range(lower, 0x1C, 5));
    return {bits(word), bits(space), bits(bytes)};
}

/// For each byte of a mask, the numbers of its set bits in order, a byte each.
constexpr std::array<std::uint64_t, 256> make_packings() {
    std::array<std::uint64_t, 256> packings{};
    for (unsigned mask = 0; mask < 256; ++mask) {
        unsigned at = 0;
        for (std::uint64_t bit = 0; bit < 8; ++bit) {
            if (((mask >> bit) & 1) != 0) packings[mask] |= bit << (8 * at++);
        }
    }
    return packings;
}

constexpr std::array<std::uint64_t, 256> kPackings = make_packings();

class Avx2 {
  public:
    explicit Avx2(const std::uint8_t* block)
        : low_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(block))),
          high_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 32))) {}

    std::uint64_t bytes_in(std::uint8_t first, std::uint8_t last) const {
        const auto from = static_cast<char>(first);
        const auto count = static_cast<char>(last - first + 1);
        return join(bits(in_range(low_, from, count)), bits(in_range(high_, from, count)));
    }

    std::uint64_t bytes_from(std::uint8_t first) const {
        const __m256i least = _mm256_set1_epi8(static_cast<char>(first));
        return join(bits(_mm256_cmpeq_epi8(_mm256_max_epu8(low_, least), low_)),
                    bits(_mm256_cmpeq_epi8(_mm256_max_epu8(high_, least), high_)));
    }

    static BlockMasks classify(const std::uint8_t* in, std::uint8_t* lowered) {
        const HalfMasks low = classify_half(in, lowered);
        const HalfMasks high = classify_half(in + 32, lowered + 32);
        return {join(low.word, high.word), join(low.space, high.space),
                join(low.non_ascii, high.non_ascii)};
    }

    static std::uint64_t lower(const std::uint8_t* in, std::uint8_t* lowered) {
        const auto half = [in, lowered](std::size_t at) {
            const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + at));
            _mm256_storeu_si256(reinterpret_cast<__m256i*>(lowered + at), lower_of(bytes));
            return bits(bytes);
        };
        const std::uint32_t low = half(0);
        return join(low, half(32));
    }

    /// Writes eight entries at a time even if fewer are left. For most blocks the loop then takes
    /// the same number of steps, and a mispredicted branch costs more than the surplus entries.
    static std::size_t append(std::uint64_t mask, std::uint32_t offset, std::uint32_t* out) {
        const auto count = static_cast<std::size_t>(_mm_popcnt_u64(mask));
        for (std::size_t done = 0; done < count; done += 8) {
            for (std::size_t i = 0; i < 8; ++i) {
                out[done + i] = offset + static_cast<std::uint32_t>(_tzcnt_u64(mask));
                mask = _blsr_u64(mask);
            }
        }
        return count;
    }

    static std::size_t pack(const std::uint8_t* block, std::uint64_t mask, std::uint8_t* out) {
        std::uint8_t* to = out;
        for (std::size_t i = 0; i < 64; i += 8, mask >>= 8) {
            const auto numbers = reinterpret_cast<const __m128i*>(&kPackings[mask & 0xFF]);
            const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(block + i));
            _mm_storel_epi64(reinterpret_cast<__m128i*>(to),
                             _mm_shuffle_epi8(eight, _mm_loadl_epi64(numbers)));
            to += _mm_popcnt_u64(mask & 0xFF);
        }
        return static_cast<std::size_t>(to - out);
    }

  private:
    static std::uint64_t join(std::uint32_t low, std::uint32_t high) {
        return std::uint64_t{low} | (std::uint64_t{high} << 32);
    }

    __m256i low_;
    __m256i high_;
};

BlockMasks classify(const std::uint8_t* in, std::uint8_t* lowered) {
    return Avx2::classify(in, lowered);
}

}  // namespace

const CutKernels kCutAvx2 = {classify,
                             classify_known<Avx2>,
                             find_characters<Avx2>,
                             lower_block<Avx2>,
                             Avx2::append,
                             cut_ascii<Avx2>,
                             cut_part<Avx2>,
                             drop_space<Avx2>,
                             pass_sure<OfFormC<Avx2>>,
                             pass_sure<OfFormKc<Avx2>>};

}  // namespace dsir::simd
#endif
