#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/cut.hpp"

namespace dsir::text {

/// The next characters of a text that is UTF-8, in at most 64 bytes, and what a kernel knows of
/// them. Bits of bytes beyond `length` mean nothing.
class TextBlock {
  public:
    /// `at` must be before `end`.
    TextBlock(const simd::CutKernels& kernels, const std::uint8_t* at, const std::uint8_t* end) {
        const auto available = static_cast<std::size_t>(end - at);
        length = available < 64 ? available : 64;
        const std::uint8_t* block = at;
        std::uint8_t padded[64];
        if (available < 64) {
            std::memset(padded, 0, sizeof padded);
            std::memcpy(padded, at, available);
            block = padded;
        }
        kernels.characters(block, found);
        if (found.classes.non_ascii == 0) return;
        const auto last = static_cast<std::size_t>(std::bit_width(found.two_or_more)) - 1;
        const std::size_t size = block[last] >= 0xF0 ? 4 : block[last] >= 0xE0 ? 3 : 2;
        if (last + size > 64) length = last;
    }

    /// The first bytes of characters that have one byte or more.
    std::uint64_t leads() const { return ~found.classes.non_ascii | found.two_or_more; }

    std::size_t length;  ///< bytes of whole characters, 1 to 64
    simd::CharacterMasks found;
};

/// The lowest `count` bits, for a count of 1 to 64.
constexpr std::uint64_t low_bits(std::size_t count) {
    return ~std::uint64_t{0} >> (64 - count);
}

}  // namespace dsir::text
