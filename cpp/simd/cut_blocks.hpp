#pragma once

#include "simd/cut.hpp"

/// The loops of cut.hpp, for the files that know an instruction set. `Isa` has
///
///     BlockMasks classify(in, lowered);                 // as simd::Classify
///     std::size_t append(mask, offset, out);            // offset + i for every set bit i; may write
///                                                       // kCutSlack entries whatever the mask
///
/// and lives in an unnamed namespace, so that no two files share an instance of these templates: a
/// copy compiled with flags must never be the one that another file's calls end in.
namespace dsir::simd {

template <class Isa>
inline void cut_block(std::uint64_t word, std::uint64_t punctuation, std::uint64_t inside,
                      Cut& cut) {
    // Shifted by one, with the class that was open before the block as bit 0, each mask says what
    // the byte before was. Where the class changes a token ends, if there was one, and the next
    // starts, if there is one.
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
    Cut cut = out;  // A copy, so that stores through its pointers cannot be thought to change it.
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

}  // namespace dsir::simd
