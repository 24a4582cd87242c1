#pragma once

#include <cstdint>

namespace dsir::simd {

/// The classes of 64 bytes: bit i belongs to byte i. A byte with no bit in any mask is punctuation.
struct BlockMasks {
    std::uint64_t word;       ///< 0-9 A-Z a-z _
    std::uint64_t space;      ///< ASCII that str.isspace() calls space: 09-0D, 1C-1F, 20
    std::uint64_t non_ascii;  ///< 80-FF: alone such a byte has no class
};

/// Reads 64 bytes, writes them to `lowered` with the ASCII letters in lower case, and returns their
/// classes. `in` and `lowered` must not overlap.
using Classify = BlockMasks (*)(const std::uint8_t* in, std::uint8_t* lowered);

BlockMasks classify_scalar(const std::uint8_t* in, std::uint8_t* lowered);

}  // namespace dsir::simd
