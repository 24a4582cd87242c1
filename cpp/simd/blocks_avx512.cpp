#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include <array>

#include "simd/cut_blocks.hpp"

namespace dsir::simd {
namespace {

/// The bytes b with first <= b < first + count. The subtraction wraps, so one comparison is enough.
inline __mmask64 in_range(__m512i bytes, char first, char count) {
    return _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(first)),
                                  _mm512_set1_epi8(count));
}

inline __mmask64 equal_to(__m512i bytes, std::uint8_t byte) {
    return _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(static_cast<char>(byte)));
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
        return classes_of(bytes, lower);
    }

    static BlockMasks classes_of(__m512i bytes, __m512i lower) {
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

/// For each byte of characters beyond ASCII, by its lower six bits, which of up to eight rules it
/// fits: rule i is bit i.
class FittedRules {
  public:
    constexpr void add(unsigned rule, std::uint8_t first, std::uint8_t last) {
        for (unsigned byte = first; byte <= last; ++byte) {
            std::uint8_t& rules = rules_[byte & 0x3F];
            rules = static_cast<std::uint8_t>(rules | (1U << rule));
        }
    }

    /// The rules that the bytes of a mask fit. Other bytes fit none.
    __m512i of(__m512i bytes, __mmask64 mask) const {
        return _mm512_maskz_permutexvar_epi8(mask, bytes, _mm512_load_si512(rules_));
    }

  private:
    alignas(64) std::uint8_t rules_[64] = {};
};

/// The characters of three bytes that classify_known() knows. A character is known if there is a
/// rule that all of its bytes fit.
struct KnownRules {
    static constexpr char kOfWords = 0x1F;
    static constexpr char kOfPunctuation = 0x60;

    constexpr KnownRules() {
        // U+5000-9FFF.
        add(0, 0xE5, 0xE9, 0x80, 0xBF, 0x80, 0xBF);
        // U+4000-4DBF, U+4E00-4FFF.
        add(1, 0xE4, 0xE4, 0x80, 0xB6, 0x80, 0xBF);
        second.add(1, 0xB8, 0xBF);
        // U+3041-307F; U+3080-3096, U+30A1-30BF; U+30C0-30FA, U+30FC-30FF.
        add(2, 0xE3, 0xE3, 0x81, 0x81, 0x81, 0xBF);
        add(3, 0xE3, 0xE3, 0x82, 0x82, 0x80, 0x96);
        third.add(3, 0xA1, 0xBF);
        add(4, 0xE3, 0xE3, 0x83, 0x83, 0x80, 0xBA);
        third.add(4, 0xBC, 0xBF);
        // U+3001-3003, U+3008-3020; U+FF01-FF0F, U+FF1A-FF20.
        add(5, 0xE3, 0xE3, 0x80, 0x80, 0x81, 0x83);
        third.add(5, 0x88, 0xA0);
        add(6, 0xEF, 0xEF, 0xBC, 0xBC, 0x81, 0x8F);
        third.add(6, 0x9A, 0xA0);
    }

    FittedRules first;
    FittedRules second;
    FittedRules third;

  private:
    constexpr void add(unsigned rule, std::uint8_t first_from, std::uint8_t first_to,
                       std::uint8_t second_from, std::uint8_t second_to, std::uint8_t third_from,
                       std::uint8_t third_to) {
        first.add(rule, first_from, first_to);
        second.add(rule, second_from, second_to);
        third.add(rule, third_from, third_to);
    }
};

constexpr KnownRules kKnownRules;

constexpr std::array<std::int8_t, 64> make_places_before(int places) {
    std::array<std::int8_t, 64> from{};
    for (int i = 0; i < 64; ++i)
        from[static_cast<unsigned>(i)] = static_cast<std::int8_t>(i - places);
    return from;
}

/// The bytes moved so many places towards the end. The first ones become zero.
template <int kPlaces>
inline __m512i moved(__m512i bytes) {
    alignas(64) static constexpr std::array<std::int8_t, 64> kFrom = make_places_before(kPlaces);
    return _mm512_maskz_permutexvar_epi8(~std::uint64_t{0} << kPlaces,
                                         _mm512_load_si512(kFrom.data()), bytes);
}

/// What classify_known() finds, by three tables in place of a comparison for every range of bytes.
/// `leads` are the bytes from C0 on, `beyond` those from 80 on.
inline KnownMasks known_of(__m512i bytes, __mmask64 leads, __mmask64 beyond) {
    const __mmask64 continuation = beyond & ~leads;
    const __m512i first = kKnownRules.first.of(bytes, leads);
    const __m512i second = kKnownRules.second.of(bytes, continuation);
    const __m512i third = kKnownRules.third.of(bytes, continuation);
    const __m512i fitted =
        _mm512_and_si512(third, _mm512_and_si512(moved<1>(second), moved<2>(first)));
    // These masks have the last byte of each character.
    const std::uint64_t word =
        _mm512_test_epi8_mask(fitted, _mm512_set1_epi8(KnownRules::kOfWords));
    const std::uint64_t punctuation =
        _mm512_test_epi8_mask(fitted, _mm512_set1_epi8(KnownRules::kOfPunctuation));
    std::uint64_t word2 = 0;
    const std::uint64_t c3 = equal_to(bytes, 0xC3);
    if (c3 != 0) {
        // U+00DF-00FF, except the division sign (U+00F7).
        const std::uint64_t division = equal_to(bytes, 0xB7);
        word2 = c3 & ((in_range(bytes, static_cast<char>(0x9F), 0x21) & ~division) >> 1);
    }
    const auto three = [](std::uint64_t last) { return last | (last >> 1) | (last >> 2); };
    return {three(word) | word2 | (word2 << 1), three(punctuation)};
}

void find_characters_by_tables(const std::uint8_t* at, CharacterMasks& found) {
    const __m512i bytes = _mm512_loadu_si512(at);
    found = {};
    found.classes = Avx512::classes_of(bytes, lower_of(bytes));
    if (found.classes.non_ascii == 0) return;
    const Avx512 block(at);
    found.two_or_more = block.bytes_from(0xC0);
    found.three_or_more = block.bytes_from(0xE0);
    found.known = known_of(bytes, found.two_or_more, found.classes.non_ascii);
}

}  // namespace

const CutKernels kCutAvx512 = {classify,
                               classify_known<Avx512>,
                               find_characters_by_tables,
                               lower_block<Avx512>,
                               Avx512::append,
                               cut_ascii<Avx512>,
                               cut_part<Avx512>,
                               drop_space<Avx512>,
                               pass_sure<OfFormC<Avx512>>,
                               pass_sure<OfFormKc<Avx512>>};

}  // namespace dsir::simd
#endif
