#pragma once

#include "simd/cut.hpp"

/// The loops of cut.hpp. Each file that knows an instruction set gives a type `Isa`, which has
///
///     BlockMasks classify(in, lowered);       // as simd::Classify
///     std::uint64_t lower(in, lowered);       // the same, but returns BlockMasks::non_ascii alone
///     std::size_t append(mask, offset, out);  // writes offset + i for every set bit i; may write
///                                             // kCutSlack entries whatever the mask
///     std::size_t pack(block, mask, out);     // writes the bytes of the block whose bits are set;
///                                             // may write 64 bytes. `out` may be the block or lie
///                                             // before it
///     Isa(block);                             // holds a block, for the two members below
///     std::uint64_t bytes_in(first, last);    // which bytes of the block are in a range
///     std::uint64_t bytes_from(first);        // which bytes are at least this
///
/// and is in an unnamed namespace. So no two files share an instance of these templates: code that
/// was compiled with CPU flags must never be what another file's calls reach.
namespace dsir::simd {

template <class Isa>
inline void cut_block(std::uint64_t word, std::uint64_t punctuation, std::uint64_t inside,
                      Cut& cut) {
    // A mask that is shifted by one, with the class that was open before the block as bit 0, tells
    // the class of the byte before. When the class changes, the token before ends, if there was
    // one, and the next token starts, if there is one.
    const std::uint64_t word_before = (word << 1) | cut.word_open;
    const std::uint64_t punctuation_before = (punctuation << 1) | cut.punctuation_open;
    const std::uint64_t change =
        ((word ^ word_before) | (punctuation ^ punctuation_before)) & inside;
    const auto offset = static_cast<std::uint32_t>(cut.bytes_size);
    cut.starts_size +=
        Isa::append(change & (word | punctuation), offset, cut.starts + cut.starts_size);
    cut.ends_size +=
        Isa::append(change & (word_before | punctuation_before), offset, cut.ends + cut.ends_size);
}

template <class Isa>
inline void cut_part(std::uint64_t word, std::uint64_t punctuation, std::size_t length, Cut& cut) {
    const std::uint64_t inside = ~std::uint64_t{0} >> (64 - length);
    cut_block<Isa>(word & inside, punctuation & inside, inside, cut);
    cut.word_open = (word >> (length - 1)) & 1;
    cut.punctuation_open = (punctuation >> (length - 1)) & 1;
    cut.bytes_size += length;
}

template <class Isa>
inline std::size_t cut_ascii(const std::uint8_t* in, std::size_t blocks, Cut& out) {
    Cut cut = out;  // A copy: the compiler then knows that no store changes it.
    std::size_t taken = 0;
    for (; taken < blocks; ++taken, in += 64) {
        const BlockMasks masks = Isa::classify(in, cut.bytes + cut.bytes_size);
        if (masks.non_ascii != 0) {
            cut.stopped = masks;
            break;
        }
        const std::uint64_t punctuation = ~(masks.word | masks.space);
        cut_block<Isa>(masks.word, punctuation, ~std::uint64_t{0}, cut);
        cut.word_open = masks.word >> 63;
        cut.punctuation_open = punctuation >> 63;
        cut.bytes_size += 64;
    }
    out = cut;
    return taken;
}

template <class Isa>
inline std::size_t drop_space(const std::uint8_t* in, std::size_t blocks, std::uint8_t* out) {
    std::uint8_t* const begin = out;
    for (const std::uint8_t* const end = in + 64 * blocks; in != end; in += 64) {
        const Isa block(in);
        const std::uint64_t space = block.bytes_in(0x09, 0x0D) | block.bytes_in(0x1C, 0x20);
        out += Isa::pack(in, ~space, out);
    }
    return static_cast<std::size_t>(out - begin);
}

/// A mask tells where a byte of some value is. A mask that is shifted right by one or two tells
/// where such a byte is one or two places further on.
template <class Isa>
inline KnownMasks classify_known(const std::uint8_t* at) {
    const Isa block(at);
    const std::uint64_t continuation = block.bytes_in(0x80, 0xBF);
    // U+4000 to U+9FFF, except the hexagrams (U+4DC0 to U+4DFF).
    const std::uint64_t e4 = block.bytes_in(0xE4, 0xE4) & ~(block.bytes_in(0xB7, 0xB7) >> 1);
    std::uint64_t word3 =
        (e4 | block.bytes_in(0xE5, 0xE9)) & (continuation >> 1) & (continuation >> 2);
    std::uint64_t punctuation3 = 0;
    const std::uint64_t e3 = block.bytes_in(0xE3, 0xE3);
    const std::uint64_t ef = block.bytes_in(0xEF, 0xEF);
    if ((e3 | ef) != 0) {
        const auto second = [&block](std::uint8_t byte) { return block.bytes_in(byte, byte) >> 1; };
        const auto third = [&block](std::uint8_t first, std::uint8_t last) {
            return block.bytes_in(first, last) >> 2;
        };
        // U+3041-307F, 3080-3096, 30A1-30BF, 30C0-30FA, 30FC-30FF.
        word3 |= e3 & ((second(0x81) & third(0x81, 0xBF)) |
                       (second(0x82) & (third(0x80, 0x96) | third(0xA1, 0xBF))) |
                       (second(0x83) & (third(0x80, 0xBA) | third(0xBC, 0xBF))));
        // U+3001-3003, 3008-3020; U+FF01-FF0F, FF1A-FF20.
        punctuation3 = (e3 & second(0x80) & (third(0x81, 0x83) | third(0x88, 0xA0))) |
                       (ef & second(0xBC) & (third(0x81, 0x8F) | third(0x9A, 0xA0)));
    }
    std::uint64_t word2 = 0;
    const std::uint64_t c3 = block.bytes_in(0xC3, 0xC3);
    if (c3 != 0) {
        // U+00DF-00FF, except the division sign (U+00F7).
        word2 = c3 & ((block.bytes_in(0x9F, 0xBF) & ~block.bytes_in(0xB7, 0xB7)) >> 1);
    }
    const auto three = [](std::uint64_t lead) { return lead | (lead << 1) | (lead << 2); };
    return {three(word3) | word2 | (word2 << 1), three(punctuation3)};
}

template <class Isa>
inline void find_characters(const std::uint8_t* at, CharacterMasks& found) {
    std::uint8_t lowered[64];  // not used
    found = {};
    found.classes = Isa::classify(at, lowered);
    if (found.classes.non_ascii == 0) return;
    const Isa block(at);
    found.known = classify_known<Isa>(at);
    found.two_or_more = block.bytes_from(0xC0);
    found.three_or_more = block.bytes_from(0xE0);
}

/// The bytes of characters beyond ASCII that stay as they are in lower case. More characters than
/// classify_known() knows, at less cost, because their classes are not asked for. The tests compare
/// all of Unicode.
template <class Isa>
inline std::uint64_t find_uncased(const std::uint8_t* at) {
    const Isa block(at);
    const std::uint64_t continuation = block.bytes_in(0x80, 0xBF);
    const std::uint64_t one_follows = continuation >> 1;
    const std::uint64_t two_follow = one_follows & (continuation >> 2);
    // U+3000-9FFF.
    std::uint64_t three = block.bytes_in(0xE3, 0xE9) & two_follow;
    std::uint64_t two = 0;
    // What is left of the characters that lie in the block with the two bytes that may follow.
    std::uint64_t left = block.bytes_from(0xC2) & ~three & (~std::uint64_t{0} >> 2);
    if (left == 0) return three | (three << 1) | (three << 2);
    const auto lead = [&block](std::uint8_t first, std::uint8_t last) {
        return block.bytes_in(first, last);
    };
    const auto second = [&block](std::uint8_t first, std::uint8_t last) {
        return block.bytes_in(first, last) >> 1;
    };
    const std::uint64_t three_or_more = block.bytes_from(0xE0);
    if ((left & ~three_or_more) != 0) {
        // U+00DF-00FF.
        two = lead(0xC3, 0xC3) & second(0x9F, 0xBF);
        if ((left & ~(three_or_more | two)) != 0) {
            // U+0430-045F; U+05C0-07FF.
            two |= (lead(0xD0, 0xD0) & second(0xB0, 0xBF)) |
                   (lead(0xD1, 0xD1) & second(0x80, 0x9F)) | (lead(0xD7, 0xDF) & one_follows);
        }
    }
    if ((left & three_or_more) != 0) {
        // U+0800-0FFF; U+2000-203F; U+B000-CFFF; U+FF00-FF1F.
        three |= ((lead(0xE0, 0xE0) & second(0xA0, 0xBF)) |
                  (lead(0xE2, 0xE2) & second(0x80, 0x80)) | lead(0xEB, 0xEC) |
                  (lead(0xEF, 0xEF) & second(0xBC, 0xBC) & ~(block.bytes_from(0xA0) >> 2))) &
                 two_follow;
    }
    return three | (three << 1) | (three << 2) | two | (two << 1);
}

template <class Isa>
inline std::uint64_t lower_block(const std::uint8_t* at, std::uint8_t* lowered) {
    const std::uint64_t non_ascii = Isa::lower(at, lowered);
    return non_ascii == 0 ? 0 : non_ascii & ~find_uncased<Isa>(at);
}

/// The first bytes of characters that NFC may change or that combine, as far as a block tells. The
/// tests compare all of Unicode.
template <class Isa>
inline std::uint64_t unsure_characters(const std::uint8_t* at) {
    const Isa block(at);
    // Below U+0300 all are sure.
    std::uint64_t left = block.bytes_from(0xCC);
    if (left == 0) return 0;
    // U+03C0-047F, U+4000-9FFF, U+B000-DFFF and private use.
    left &= ~(block.bytes_in(0xCF, 0xD1) | block.bytes_in(0xE4, 0xE9) | block.bytes_in(0xEB, 0xEE));
    if (left == 0) return 0;
    const auto lead = [&](std::uint8_t byte) { return left & block.bytes_in(byte, byte); };
    const auto second = [&block](std::uint8_t first, std::uint8_t last) {
        return block.bytes_in(first, last) >> 1;
    };
    const auto third = [&block](std::uint8_t first, std::uint8_t last) {
        return block.bytes_in(first, last) >> 2;
    };
    // U+2002-203F.
    left &= ~(lead(0xE2) & second(0x80, 0x80) & third(0x82, 0xBF));
    if (left == 0) return 0;
    // U+3000-3029, U+3030-3098, U+309B-30FF.
    left &=
        ~(lead(0xE3) &
          ((second(0x80, 0x80) & (third(0x80, 0xA9) | third(0xB0, 0xBF))) | second(0x81, 0x81) |
           (second(0x82, 0x82) & (third(0x80, 0x98) | third(0x9B, 0xBF))) | second(0x83, 0x83)));
    // U+FF00-FFFF, U+AC00-AFFF.
    left &= ~(lead(0xEF) & second(0xBC, 0xBF));
    left &= ~(lead(0xEA) & second(0xB0, 0xBF));
    if (left == 0) return 0;
    // U+0380-03BF without U+0387; U+05D0-05FF; U+0620-064A, U+0680-06BF; U+1E00-1EFF;
    // U+1F000-1FFFF.
    left &= ~(lead(0xCE) & (second(0x80, 0x86) | second(0x88, 0xBF)));
    left &= ~(lead(0xD7) & second(0x90, 0xBF));
    left &= ~((lead(0xD8) & second(0xA0, 0xBF)) | (lead(0xD9) & second(0x80, 0x8A)) | lead(0xDA));
    left &= ~(lead(0xE1) & second(0xB8, 0xBB));
    return left & ~(lead(0xF0) & second(0x9F, 0x9F));
}

/// The same for NFKC.
template <class Isa>
inline std::uint64_t unsure_compatible(const std::uint8_t* at) {
    const Isa block(at);
    // Below U+0080 all are sure.
    std::uint64_t left = block.bytes_from(0xC2);
    if (left == 0) return 0;
    // U+00C0-00FF, U+0180-01BF, U+0200-027F, U+0400-047F, U+4000-9FFF, U+B000-DFFF and private use.
    left &= ~(block.bytes_in(0xC3, 0xC3) | block.bytes_in(0xC6, 0xC6) | block.bytes_in(0xC8, 0xC9) |
              block.bytes_in(0xD0, 0xD1) | block.bytes_in(0xE4, 0xE9) | block.bytes_in(0xEB, 0xEE));
    if (left == 0) return 0;
    const auto lead = [&](std::uint8_t byte) { return left & block.bytes_in(byte, byte); };
    const auto second = [&block](std::uint8_t first, std::uint8_t last) {
        return block.bytes_in(first, last) >> 1;
    };
    const auto third = [&block](std::uint8_t first, std::uint8_t last) {
        return block.bytes_in(first, last) >> 2;
    };
    // Dashes, quotation marks and bullets: U+2010-2023 without U+2011 and U+2017; U+2030-2032.
    left &= ~(lead(0xE2) & second(0x80, 0x80) &
              (third(0x90, 0x90) | third(0x92, 0x96) | third(0x98, 0xA3) | third(0xB0, 0xB2)));
    if (left == 0) return 0;
    // U+3001-3029, U+3040-3098, U+30A0-30FE.
    left &= ~(lead(0xE3) & ((second(0x80, 0x80) & third(0x81, 0xA9)) | second(0x81, 0x81) |
                            (second(0x82, 0x82) & (third(0x80, 0x98) | third(0xA0, 0xBF))) |
                            (second(0x83, 0x83) & third(0x80, 0xBE))));
    // U+AC00-AFFF.
    left &= ~(lead(0xEA) & second(0xB0, 0xBF));
    if (left == 0) return 0;
    // Signs of Latin-1, e.g. U+00A7, U+00AB, U+00B0, U+00BB, U+00BF; letters of Latin Extended-A.
    left &= ~(lead(0xC2) &
              (second(0xA1, 0xA7) | second(0xA9, 0xA9) | second(0xAB, 0xAE) | second(0xB0, 0xB1) |
               second(0xB6, 0xB7) | second(0xBB, 0xBB) | second(0xBF, 0xBF)));
    left &= ~(lead(0xC4) & (second(0x80, 0xB1) | second(0xB4, 0xBE)));
    left &= ~(lead(0xC5) & (second(0x81, 0x88) | second(0x8A, 0xBE)));
    if (left == 0) return 0;
    // U+0388-03CF and U+0386; U+03D7-03EF; U+05D0-05FF; U+0620-064A, U+0680-06BF; U+1E00-1E99,
    // U+1E9C-1EFF; U+1F300-1FBBF.
    left &= ~(lead(0xCE) & (second(0x86, 0x86) | second(0x88, 0xBF)));
    left &= ~(lead(0xCF) & (second(0x80, 0x8F) | second(0x97, 0xAF)));
    left &= ~(lead(0xD7) & second(0x90, 0xBF));
    left &= ~((lead(0xD8) & second(0xA0, 0xBF)) | (lead(0xD9) & second(0x80, 0x8A)) | lead(0xDA));
    left &= ~(lead(0xE1) & (second(0xB8, 0xB9) | second(0xBB, 0xBB) |
                            (second(0xBA, 0xBA) & (third(0x80, 0x99) | third(0x9C, 0xBF)))));
    return left & ~(lead(0xF0) & second(0x9F, 0x9F) & third(0x8C, 0xAE));
}

/// Which characters of a block NFC may change.
template <class Isa>
struct OfFormC {
    static std::uint64_t unsure(const std::uint8_t* at) { return unsure_characters<Isa>(at); }
};

/// Which characters of a block NFKC may change.
template <class Isa>
struct OfFormKc {
    static std::uint64_t unsure(const std::uint8_t* at) { return unsure_compatible<Isa>(at); }
};

template <class OfForm>
inline std::size_t pass_sure(const std::uint8_t* in, std::size_t blocks, std::uint64_t& unsure) {
    for (std::size_t passed = 0; passed < blocks; ++passed, in += 64) {
        unsure = OfForm::unsure(in);
        if (unsure != 0) return passed;
    }
    unsure = 0;
    return blocks;
}

}  // namespace dsir::simd
