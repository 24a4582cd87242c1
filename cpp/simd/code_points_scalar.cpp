#include <algorithm>
#include <cstring>

#include "simd/byte_steps.hpp"
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

/// Takes eight bytes at a time, as long as they have only characters of one and two bytes that the
/// steps know, and returns where the next character begins. There is no branch on single bytes:
/// letters beyond ASCII come too irregularly.
const std::uint8_t* step_eights(const std::uint8_t* at, const std::uint8_t* end,
                                const ByteSteps& byte_steps, std::uint16_t*& out) {
    const ByteSteps::Step* const steps = byte_steps.steps();
    const std::uint16_t* const rows = byte_steps.rows();
    std::uint16_t* to = out;
    std::size_t row = 0;
    while (end - at >= 8) {
        std::size_t next_row = row;
        std::uint16_t* next = to;
        std::uint64_t eight = 0;
        std::memcpy(&eight, at, sizeof eight);
        ByteSteps::Step all = 0;
        for (unsigned i = 0; i < 8; ++i) {
            const auto byte = static_cast<std::uint8_t>(eight >> (8 * i));
            const ByteSteps::Step step = steps[next_row + byte];
            *next = static_cast<std::uint16_t>(step);
            next += step >> 16;
            all |= step;
            next_row = rows[byte];
        }
        if (all >= ByteSteps::kUnknown) break;
        to = next;
        row = next_row;
        at += 8;
    }
    out = to;
    return row == 0 ? at : at - 1;
}

/// Takes characters of three bytes that have numbers, and returns where the first other one begins.
const std::uint8_t* take_threes(const std::uint8_t* at, const std::uint8_t* end,
                                const std::uint16_t* numbers, std::uint16_t*& out) {
    std::uint16_t* to = out;
    for (; end - at >= 4; at += 3) {
        std::uint32_t four = 0;
        std::memcpy(&four, at, sizeof four);
        if ((four & 0x00C0C0F0) != 0x008080E0) break;
        const std::uint32_t code_point =
            ((four & 0x0F) << 12) | ((four >> 2) & 0x0FC0) | ((four >> 16) & 0x3F);
        const std::uint16_t number = numbers[code_point];
        if (number >= kLeastSpecial || code_point < 0x800) break;
        *to++ = number;
    }
    out = to;
    return at;
}

CharactersTaken number_characters(const std::uint8_t* const begin, const std::uint8_t* const end,
                                  const NumberTable& table, std::uint16_t* const out) {
    // How many bytes are taken one by one after the steps: more where they take few.
    constexpr std::ptrdiff_t kFewest = 32;
    constexpr std::ptrdiff_t kMost = 1024;
    std::ptrdiff_t one_by_one = kFewest;
    const std::uint8_t* at = begin;
    std::uint16_t* to = out;
    while (end - at >= static_cast<std::ptrdiff_t>(kBlockRead)) {
        const std::uint8_t* const from = at;
        at = step_eights(at, end, table.steps, to);
        one_by_one = at - from >= 2 * kFewest ? kFewest : std::min(2 * one_by_one, kMost);
        const std::uint8_t* const stop = at + std::min(end - at, one_by_one);
        while (at < stop) {
            if (*at >= 0xE0) {
                const std::uint8_t* const first = at;
                at = take_threes(at, end, table.numbers, to);
                if (at != first) continue;
            }
            const Decoded decoded = *at < 0x80 ? Decoded{*at, 1} : decode(at, end - at);
            const std::uint16_t number = table.numbers[decoded.code_point];
            if (decoded.length == 0 || (number >= kLeastSpecial && number != kSpaceEntry)) {
                return {static_cast<std::size_t>(at - begin), static_cast<std::size_t>(to - out)};
            }
            // Without a branch: white space is overwritten by what follows it.
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
