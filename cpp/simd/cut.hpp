#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/classify.hpp"
#include "simd/cpu.hpp"

/// Cutting text into tokens, 64 bytes at a time: from the classes of the bytes to where tokens
/// start and end.
namespace dsir::simd {

/// Where the tokens of a stretch go, and what is open at its end. The arrays are the caller's.
struct Cut {
    std::uint8_t* bytes;    ///< lower-cased text
    std::uint32_t* starts;  ///< of tokens, as offsets into `bytes`
    std::uint32_t* ends;
    std::size_t bytes_size;
    std::size_t starts_size;
    std::size_t ends_size;
    std::uint64_t word_open;         ///< 1 where the last byte is of a word, else 0
    std::uint64_t punctuation_open;  ///< the same of punctuation; at most one of the two is 1
    BlockMasks stopped;              ///< classes of the block that cut_ascii() stopped at
};

/// Entries behind the last start and the last end that a kernel may write over, and so the room
/// that the arrays must have beyond what fills them.
inline constexpr std::size_t kCutSlack = 64;

/// Takes the blocks of 64 bytes that are all ASCII, `blocks` of them at most; returns how many.
/// Where it stops at one that is not, that one's classes are in `cut.stopped`, and its bytes,
/// lower-cased, behind bytes_size, which does not count them.
using CutAscii = std::size_t (*)(const std::uint8_t* in, std::size_t blocks, Cut& cut);

/// Adds the starts and ends of `length` bytes (1 to 64) of these classes, which lie lower-cased
/// behind bytes_size, and counts them. Bits from `length` on are ignored.
using CutBlock = void (*)(std::uint64_t word, std::uint64_t punctuation, std::size_t length,
                          Cut& cut);

/// Bytes of characters whose class a kernel knows, and that stay as they are in lower case.
struct KnownMasks {
    std::uint64_t word;
    std::uint64_t punctuation;
};

/// The classes of characters beyond ASCII that are frequent and simple: Chinese characters, kana
/// and their punctuation, small Latin-1 letters. Only of characters that lie whole in the block,
/// are UTF-8, and are classed by the Unicode tables alike (the tests hold all of Unicode against
/// them); what is in neither mask is to be looked up. The scalar kernel knows none.
using ClassifyKnown = KnownMasks (*)(const std::uint8_t* block);

struct CutKernels {
    Classify classify;
    ClassifyKnown known;
    CutAscii ascii;
    CutBlock block;
};

/// The kernels of that width. Widths the build does not have fall back to scalar.
const CutKernels& cut_kernels(Level level);

/// The one among them that classifies, for those who cut nothing.
inline Classify classify_kernel(Level level) {
    return cut_kernels(level).classify;
}

extern const CutKernels kCutScalar;
extern const CutKernels kCutNeon;
extern const CutKernels kCutAvx2;
extern const CutKernels kCutAvx512;

}  // namespace dsir::simd
