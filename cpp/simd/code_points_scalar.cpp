#include <bit>
#include <cstring>

#include "simd/code_points.hpp"

namespace dsir::simd {
namespace {

struct Decoded {
    unsigned code_point;
    unsigned length;  ///< 0 for a character of four bytes, and for what is not UTF-8
};

/// The character beyond ASCII at `at`, of whose bytes so many are there.
Decoded decode(const std::uint8_t* at, std::ptrdiff_t left) {
    const unsigned lead = *at;
    if (lead < 0xE0) {
        if (lead < 0xC2 || left < 2 || (at[1] & 0xC0) != 0x80) return {0, 0};
        return {((lead & 0x1F) << 6) | (at[1] & 0x3FU), 2};
    }
    if (lead > 0xEF || left < 3 || (at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80) return {0, 0};
    if (lead == 0xE0 && at[1] < 0xA0) return {0, 0};
    return {((lead & 0x0F) << 12) | ((at[1] & 0x3FU) << 6) | (at[2] & 0x3FU), 3};
}

CharactersTaken code_points(const std::uint8_t* const block, std::uint16_t* const out) {
    const std::uint8_t* at = block;
    std::uint16_t* to = out;
    for (const std::uint8_t* const end = block + 64; at < end;) {
        const Decoded decoded = *at < 0x80 ? Decoded{*at, 1} : decode(at, end - at);
        if (decoded.length == 0) break;
        *to++ = static_cast<std::uint16_t>(decoded.code_point);
        at += decoded.length;
    }
    return {static_cast<std::size_t>(at - block), static_cast<std::size_t>(to - out)};
}

CharactersTaken number_characters(const std::uint8_t* const begin, const std::uint8_t* const end,
                                  const NumberTable& table, std::uint16_t* const out) {
    const std::uint16_t* const numbers = table.numbers;
    const std::uint8_t* at = begin;
    std::uint16_t* to = out;
    while (end - at >= 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, at, sizeof eight);
        const std::uint64_t beyond = eight & 0x8080808080808080U;
        const unsigned ascii =
            beyond == 0 ? 8 : static_cast<unsigned>(std::countr_zero(beyond)) / 8;
        for (unsigned i = 0; i < ascii; ++i) {
            // Without a branch: white space is overwritten by what follows it.
            const std::uint16_t number = numbers[at[i]];
            *to = number;
            to += static_cast<unsigned>(number != kSpaceEntry);
        }
        at += ascii;
        // As long as it goes, because such characters come together.
        while (end - at >= 3 && *at >= 0x80) {
            const Decoded decoded = decode(at, end - at);
            const std::uint16_t number = numbers[decoded.code_point];
            const bool other = number >= kLeastSpecial && number != kSpaceEntry;
            if (decoded.length == 0 || other) {
                return {static_cast<std::size_t>(at - begin), static_cast<std::size_t>(to - out)};
            }
            *to = number;
            to += static_cast<unsigned>(number != kSpaceEntry);
            at += decoded.length;
        }
    }
    return {static_cast<std::size_t>(at - begin), static_cast<std::size_t>(to - out)};
}

}  // namespace

const CodePointKernels kCodePointsScalar = {code_points, number_characters};

}  // namespace dsir::simd
