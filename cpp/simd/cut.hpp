#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/classify.hpp"
#include "simd/cpu.hpp"

/// Cuts text into tokens, 64 bytes at a time: turns the classes of bytes into the places where
/// tokens start and end.
namespace dsir::simd {

/// The tokens of a stretch so far, and what is open at its end. The caller owns the arrays.
struct Cut {
    std::uint8_t* bytes;    ///< lower-cased text
    std::uint32_t* starts;  ///< offsets of the tokens' starts in `bytes`
    std::uint32_t* ends;
    std::size_t bytes_size;
    std::size_t starts_size;
    std::size_t ends_size;
    std::uint64_t word_open;         ///< 1 if the last byte belongs to a word, else 0
    std::uint64_t punctuation_open;  ///< the same for punctuation; at most one of the two is 1
    BlockMasks stopped;              ///< classes of the block at which cut_ascii() stopped
};

/// How many entries after the last start and the last end a kernel may overwrite. The arrays must
/// have room for so many more than are counted.
inline constexpr std::size_t kCutSlack = 64;

/// Takes blocks of 64 bytes as long as all their bytes are ASCII, at most `blocks`, and returns how
/// many blocks were taken. If a block has other bytes, the function stops there: `cut.stopped` has
/// the block's classes, and the lower-cased bytes lie after `bytes_size`, which does not count
/// them.
using CutAscii = std::size_t (*)(const std::uint8_t* in, std::size_t blocks, Cut& cut);

/// Adds the starts and ends of `length` bytes (1 to 64) of the given classes, and counts the bytes,
/// which already lie lower-cased after bytes_size. Bits from `length` on are ignored.
using CutBlock = void (*)(std::uint64_t word, std::uint64_t punctuation, std::size_t length,
                          Cut& cut);

/// The bytes of characters that a kernel knows. In lower case these characters stay as they are.
struct KnownMasks {
    std::uint64_t word;
    std::uint64_t punctuation;
};

/// Finds the classes of frequent and simple characters beyond ASCII: Chinese characters, kana and
/// their punctuation, small Latin-1 letters. A byte is in a mask only if its whole character lies
/// in the block and is UTF-8, and then the class is that of the Unicode tables (the tests compare
/// all of Unicode). Bytes in neither mask have to be looked up. The scalar kernel knows no
/// character.
using ClassifyKnown = KnownMasks (*)(const std::uint8_t* block);

/// The characters of a block that is UTF-8, except at its end. Written where the caller keeps them,
/// because a copy of so many masks would wait for the stores.
struct CharacterMasks {
    BlockMasks classes;           ///< as by Classify
    KnownMasks known;             ///< as by ClassifyKnown
    std::uint64_t two_or_more;    ///< first bytes of characters of two bytes or more
    std::uint64_t three_or_more;  ///< of three bytes or more
};
using FindCharacters = void (*)(const std::uint8_t* block, CharacterMasks& found);

/// Writes 64 bytes to `lowered`, with the letters of ASCII in lower case. Returns the bytes of
/// characters beyond ASCII that may change in lower case, or may not be UTF-8: all but those of
/// frequent characters whose bytes all lie in the block. The scalar kernel knows no such character.
using LowerBlock = std::uint64_t (*)(const std::uint8_t* block, std::uint8_t* lowered);

/// Writes offset + i for every set bit i of a mask, in order, and returns how many there are. May
/// write kCutSlack entries whatever the mask.
using AppendPlaces = std::size_t (*)(std::uint64_t mask, std::uint32_t offset, std::uint32_t* out);

/// Copies blocks of 64 bytes without their ASCII white space, and returns how many bytes are left.
/// `out` may be `in` or lie before it. May write as many bytes as the blocks have.
using DropSpace = std::size_t (*)(const std::uint8_t* in, std::size_t blocks, std::uint8_t* out);

/// Passes over blocks of 64 bytes, at most `blocks`, as long as a Unicode Normalization Form leaves
/// all their characters as they are, whatever is around them. Returns how many blocks were passed.
/// If one is left, `unsure` has a bit for every byte of it at which another character may begin; of
/// some characters a kernel does not know this. Otherwise `unsure` is 0.
using PassSure = std::size_t (*)(const std::uint8_t* in, std::size_t blocks, std::uint64_t& unsure);

struct CutKernels {
    Classify classify;
    ClassifyKnown known;
    FindCharacters characters;
    LowerBlock lower;
    AppendPlaces append;
    CutAscii ascii;
    CutBlock block;
    DropSpace drop_space;
    PassSure sure;             ///< for Form C
    PassSure sure_compatible;  ///< for Form KC
};

/// The kernels of a width. For a width that the build does not have, the scalar kernels.
const CutKernels& cut_kernels(Level level);

/// The kernel among them that classifies, for callers that cut nothing.
inline Classify classify_kernel(Level level) {
    return cut_kernels(level).classify;
}

extern const CutKernels kCutScalar;
extern const CutKernels kCutNeon;
extern const CutKernels kCutAvx2;
extern const CutKernels kCutAvx512;

}  // namespace dsir::simd
