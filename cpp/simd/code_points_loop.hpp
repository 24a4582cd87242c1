#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "simd/code_points.hpp"
#include "simd/packing.hpp"

/// The loops of code_points.hpp. AVX2 and AVX-512 each give a type `Isa`, which holds a block and
/// has
///
///     Isa(block);
///     std::uint64_t beyond();  // which bytes are beyond ASCII
///     LeadMasks leads();
///     std::uint64_t space();  // white space of ASCII
///     void write(lower, out);
///         // For each byte the code point of a character that begins there, A to Z as a to z if
///         // `lower`.
///     std::size_t pack_ascii(lower, mask, out);
///         // The same for a block of ASCII, where bits are set. Returns how many, writes up to 64.
///     static std::uint64_t entries_in(entries, first, last);  // which of 64 are in a range
///     static bool any_from(entries, count, least);  // may say yes for one of 64 after `count`
///
/// and is in an unnamed namespace, for the reason that cut_blocks.hpp gives.
namespace dsir::simd {

/// Which bytes of a block of 64 are of some kind, where a character begins at the first.
struct LeadMasks {
    std::uint64_t beyond;         ///< from 80 on
    std::uint64_t two_or_more;    ///< from C0 on
    std::uint64_t three_or_more;  ///< from E0 on
    std::uint64_t refused;        ///< C0, C1, from F0 on, and E0 before a byte below A0

    [[gnu::always_inline]] std::uint64_t continuation() const { return beyond & ~two_or_more; }
};

template <class Isa>
class CodePointLoop {
  public:
    static CharactersTaken code_points(const std::uint8_t* at, std::uint16_t* out) {
        const Isa block(at);
        const LeadMasks leads = block.leads();
        const std::size_t bytes = whole_characters(at, leads);
        alignas(64) std::uint16_t lanes[64];
        block.write(false, lanes);
        return {bytes, pack(lanes, ~leads.continuation() & first(bytes), out)};
    }

    static CharactersTaken number_characters(const std::uint8_t* const begin,
                                             const std::uint8_t* end, const NumberTable& table,
                                             std::uint16_t* const out) {
        Batch batch{begin, out};
        while (take(batch, end, table)) {
        }
        return {static_cast<std::size_t>(batch.at - begin),
                static_cast<std::size_t>(batch.out - out)};
    }

  private:
    /// Blocks are numbered so many at a time, because a loop over the characters of each would end
    /// where no one can predict it.
    static constexpr std::size_t kTogether = 8;

    struct Batch {
        const std::uint8_t* at;
        std::uint16_t* out;
        bool dense = true;  ///< whether many characters are beyond ASCII
    };

    static std::uint64_t first(std::size_t bytes) {
        return bytes == 0 ? 0 : ~std::uint64_t{0} >> (64 - bytes);
    }

    /// How many bytes whole characters of two or three bytes, and ASCII, take from the block's
    /// first byte on, up to the first byte that is of none.
    static std::size_t whole_characters(const std::uint8_t* block, const LeadMasks& leads) {
        // Where the character begins that the block ends within. The bytes tell sooner than the
        // masks, and the next block waits for it.
        const std::size_t whole =
            64U - (block[62] >= 0xE0 ? 2U : static_cast<unsigned>(block[63] >= 0xC0));
        // Bytes that should follow a first byte and do not, or should not and do.
        const std::uint64_t broken =
            leads.continuation() ^ ((leads.two_or_more << 1) | (leads.three_or_more << 2));
        // The character at `whole` must not be one that should follow, either.
        const std::uint64_t inside = first(whole);
        const std::uint64_t wrong = (broken & ((inside << 1) | 1)) | (leads.refused & inside);
        if (wrong == 0) [[likely]]
            return whole;
        // The character before a broken place may be broken: take none.
        if ((broken & (wrong & -wrong)) != 0) return 0;
        return static_cast<std::size_t>(std::countr_zero(wrong));
    }

    /// Copies those of 64 entries whose bits are set, and returns how many there are. Writes at
    /// most 8 more.
    static std::size_t pack(const std::uint16_t* lanes, std::uint64_t mask, std::uint16_t* out) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 64; i += 8, mask >>= 8) {
            size += simd::pack(load_eight(lanes + i), mask, out + size);
        }
        return size;
    }

    /// Numbers up to kTogether blocks. Returns whether more may follow.
    static bool take(Batch& batch, const std::uint8_t* end, const NumberTable& table) {
        std::size_t bytes_before[kTogether];
        std::size_t characters_before[kTogether];
        std::uint16_t places[64 * kTogether + 64];  // of characters beyond ASCII, unless dense
        std::size_t beyond = 0;
        std::size_t blocks = 0;
        std::size_t bytes = 0;
        std::size_t characters = 0;
        bool more = true;
        for (; blocks < kTogether; ++blocks) {
            const std::uint8_t* const at = batch.at + bytes;
            more = end - at >= static_cast<std::ptrdiff_t>(kBlockRead);
            if (!more) break;
            bytes_before[blocks] = bytes;
            characters_before[blocks] = characters;
            const Isa block(at);
            if (block.beyond() == 0) {
                characters += block.pack_ascii(table.lower, ~block.space(), batch.out + characters);
                bytes += 64;
                continue;
            }
            const LeadMasks leads = block.leads();
            const std::size_t whole = whole_characters(at, leads);
            if (whole == 0) {
                more = false;
                break;
            }
            const std::uint64_t starts = ~leads.continuation() & ~block.space() & first(whole);
            alignas(64) std::uint16_t lanes[64];
            block.write(table.lower, lanes);
            const std::size_t found =
                static_cast<std::size_t>(std::popcount(leads.two_or_more & starts));
            if (!batch.dense) {
                append(leads.two_or_more & starts, starts, characters, found, places + beyond);
            }
            beyond += found;
            characters += pack(lanes, starts, batch.out + characters);
            bytes += whole;
        }
        std::uint16_t* const out = batch.out;
        const std::uint16_t* const numbers = table.numbers;
        bool special = false;
        if (batch.dense) {
            for (std::size_t i = 0; i < characters; i += 8) {
                for (std::size_t k = i; k < i + 8; ++k) out[k] = numbers[out[k]];
            }
            for (std::size_t i = 0; i < 64; ++i) out[characters + i] = 0;
            special = Isa::any_from(out, characters, kLeastSpecial);
        } else {
            std::uint32_t all = 0;
            for (std::size_t i = 0; i < beyond; ++i) {
                std::uint16_t& entry = out[places[i]];
                const std::uint32_t number = numbers[entry];
                all |= number + (0x10000U - kLeastSpecial);
                entry = static_cast<std::uint16_t>(number);
            }
            special = all >= 0x10000;
        }
        batch.dense = 4 * beyond > characters;
        if (special) {
            const std::size_t first_other = find_special(out, characters);
            if (first_other < characters) {
                while (characters_before[blocks - 1] > first_other) --blocks;
                --blocks;
                bytes = bytes_before[blocks];
                characters = characters_before[blocks];
                more = false;
            }
            characters = drop_spaces(out, characters);
        }
        batch.at += bytes;
        batch.out += characters;
        return more;
    }

    /// Writes where in a packed block, after so many characters, those of a mask are. Four at a
    /// time, because most blocks have fewer and a mispredicted branch costs more.
    static void append(std::uint64_t mask, std::uint64_t starts, std::size_t before,
                       std::size_t count, std::uint16_t* out) {
        for (std::size_t done = 0; done < count; done += 4) {
            for (std::size_t i = 0; i < 4; ++i) {
                const std::uint64_t below = (mask & -mask) - 1;
                out[done + i] = static_cast<std::uint16_t>(
                    before + static_cast<std::size_t>(std::popcount(starts & below)));
                mask &= mask - 1;
            }
        }
    }

    /// Where the first entry is that is no number and not of white space, or `count`.
    static std::size_t find_special(const std::uint16_t* entries, std::size_t count) {
        for (std::size_t i = 0; i < count; i += 64) {
            const std::uint64_t found =
                Isa::entries_in(entries + i, kLeastSpecial, kSpaceEntry - 1) &
                first(count - i < 64 ? count - i : 64);
            if (found != 0) return i + static_cast<std::size_t>(std::countr_zero(found));
        }
        return count;
    }

    static std::size_t drop_spaces(std::uint16_t* entries, std::size_t count) {
        std::size_t left = 0;
        for (std::size_t i = 0; i < count; i += 64) {
            const std::uint64_t kept = ~Isa::entries_in(entries + i, kSpaceEntry, kSpaceEntry);
            left +=
                pack(entries + i, kept & first(count - i < 64 ? count - i : 64), entries + left);
        }
        return left;
    }
};

}  // namespace dsir::simd
