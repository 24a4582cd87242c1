#pragma once

#include <cstdint>

namespace dsir::simd {

/// Classes of 64 bytes, bit i for byte i. A byte that is in none of the three is punctuation.
struct BlockMasks {
    std::uint64_t word;       ///< 0-9 A-Z a-z _
    std::uint64_t space;      ///< what str.isspace() says of ASCII: 09-0D, 1C-1F, 20
    std::uint64_t non_ascii;  ///< 80-FF: has no class on its own
};

/// Reads 64 bytes, writes them lower-cased (ASCII letters only) to `lowered`, returns the classes.
/// `in` and `lowered` must not overlap.
using Classify = BlockMasks (*)(const std::uint8_t* in, std::uint8_t* lowered);

BlockMasks classify_scalar(const std::uint8_t* in, std::uint8_t* lowered);

}  // namespace dsir::simd
