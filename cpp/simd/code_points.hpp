#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

/// Turns text into the code points of its characters, and these into numbers that a table gives,
/// 64 bytes at a time and without a branch on the length of a character.
namespace dsir::simd {

/// How many bytes a kernel reads of a block.
inline constexpr std::size_t kBlockRead = 64 + 2;

/// How many entries a kernel may write beyond those that it counts.
inline constexpr std::size_t kCodePointSlack = 64;

struct CharactersTaken {
    std::size_t bytes;
    std::size_t characters;
};

/// Writes the code points of the characters that lie in a block of 64 bytes. `at` is where a
/// character begins, and kBlockRead bytes must be readable. Stops before a character of four bytes,
/// and before what is not UTF-8, or takes nothing of a block that has such bytes. A surrogate in
/// three bytes is taken, although it is not UTF-8.
using CodePoints = CharactersTaken (*)(const std::uint8_t* at, std::uint16_t* out);

/// From here on, an entry of a table of numbers is not a number. The last is that of white space.
inline constexpr std::uint16_t kLeastSpecial = 0xFF00;
inline constexpr std::uint16_t kSpaceEntry = 0xFFFF;

class ByteSteps;

/// The numbers of characters, for the kernel below.
struct NumberTable {
    const std::uint16_t* numbers;  ///< [code point], 65,536 of them
    bool lower;                    ///< whether the number of A to Z is that of a to z
    const ByteSteps& steps;        ///< the same numbers by bytes, below U+0800
};

/// Writes the numbers of characters as long as they have numbers, and may stop up to 63 bytes
/// before the first that has none, or that code_points would stop at. White space has no number and
/// is left out. The number of ASCII is the byte in its case. `at` is where a character begins. All
/// bytes up to `end` must be readable, and fewer than kBlockRead may be left over.
using NumberCharacters = CharactersTaken (*)(const std::uint8_t* at, const std::uint8_t* end,
                                             const NumberTable& table, std::uint16_t* out);

struct CodePointKernels {
    CodePoints code_points;
    NumberCharacters number_characters;
};

/// The kernels of a width. For a width that the build does not have, the scalar kernels.
const CodePointKernels& code_point_kernels(Level level);

extern const CodePointKernels kCodePointsScalar;
extern const CodePointKernels kCodePointsAvx2;
extern const CodePointKernels kCodePointsAvx512;

}  // namespace dsir::simd
