#include <array>
#include <bit>
#include <cstring>

#include "simd/cut_blocks.hpp"

namespace dsir::simd {
namespace {

constexpr std::uint8_t kWord = 1;
constexpr std::uint8_t kSpace = 2;
constexpr std::uint8_t kNonAscii = 4;

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> classes{};
    for (unsigned c = 0; c < 256; ++c) {
        const bool word =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        const bool space = (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
        classes[c] = word ? kWord : space ? kSpace : c >= 0x80 ? kNonAscii : 0;
    }
    return classes;
}

constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

struct Scalar {
    static BlockMasks classify(const std::uint8_t* in, std::uint8_t* lowered) {
        BlockMasks masks{0, 0, 0};
        for (std::size_t i = 0; i < 64; ++i) {
            const std::uint8_t byte = in[i];
            const std::uint64_t kind = kClasses[byte];
            masks.word |= (kind & kWord) << i;
            masks.space |= ((kind & kSpace) >> 1) << i;
            masks.non_ascii |= (kind >> 2) << i;
            const bool upper = static_cast<std::uint8_t>(byte - 'A') < 26;
            lowered[i] = static_cast<std::uint8_t>(byte + (upper ? 0x20 : 0));
        }
        return masks;
    }

    static std::size_t append(std::uint64_t mask, std::uint32_t offset, std::uint32_t* out) {
        std::size_t count = 0;
        for (; mask != 0; mask &= mask - 1) {
            out[count++] = offset + static_cast<std::uint32_t>(std::countr_zero(mask));
        }
        return count;
    }
};

}  // namespace

BlockMasks classify_scalar(const std::uint8_t* in, std::uint8_t* lowered) {
    return Scalar::classify(in, lowered);
}

namespace {

std::size_t drop_space_scalar(const std::uint8_t* in, std::size_t blocks, std::uint8_t* out) {
    std::uint8_t* to = out;
    // Without a branch: white space is overwritten by what follows it.
    for (const std::uint8_t* const end = in + 64 * blocks; in != end; ++in) {
        const std::uint8_t byte = *in;
        *to = byte;
        to += kClasses[byte] == kSpace ? 0 : 1;
    }
    return static_cast<std::size_t>(to - out);
}

KnownMasks know_none(const std::uint8_t*) {
    return {0, 0};
}

/// The highest bits of eight bytes as one byte.
std::uint64_t gathered(std::uint64_t high) {
    return (high * 0x0002040810204081U) >> 56;
}

constexpr std::uint64_t kHigh = 0x8080808080808080U;

void find_characters(const std::uint8_t* block, CharacterMasks& found) {
    std::uint8_t lowered[64];  // not used
    found = {};
    found.classes = Scalar::classify(block, lowered);
    if (found.classes.non_ascii == 0) return;
    for (unsigned i = 0; i < 64; i += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, block + i, 8);
        // The two or three upper bits of each byte, moved into its highest bit.
        const std::uint64_t two = eight & (eight << 1) & kHigh;
        found.two_or_more |= gathered(two) << i;
        found.three_or_more |= gathered(two & (eight << 2)) << i;
    }
}

std::uint64_t lower_block(const std::uint8_t* block, std::uint8_t* lowered) {
    for (std::size_t i = 0; i < 64; ++i) {
        const bool upper = static_cast<std::uint8_t>(block[i] - 'A') < 26;
        lowered[i] = static_cast<std::uint8_t>(block[i] + (upper ? 0x20 : 0));
    }
    std::uint64_t non_ascii = 0;
    for (unsigned i = 0; i < 64; i += 8) {
        std::uint64_t eight = 0;
        std::memcpy(&eight, block + i, 8);
        non_ascii |= gathered(eight & kHigh) << i;
    }
    return non_ascii;
}

/// All characters below the one whose first byte is kUnsure are sure, and those from U+4000 to
/// U+9FFF.
template <std::uint8_t kUnsure>
std::size_t pass_most(const std::uint8_t* in, std::size_t blocks, std::uint64_t& unsure) {
    unsure = 0;
    for (std::size_t passed = 0; passed < blocks; ++passed, in += 64) {
        for (std::size_t i = 0; i < 64; i += 8) {
            std::uint64_t eight = 0;
            std::memcpy(&eight, in + i, 8);
            if ((eight & 0x8080808080808080U) == 0) continue;
            for (std::size_t k = i; k < i + 8; ++k) {
                const bool is_sure = in[k] < kUnsure || (in[k] >= 0xE4 && in[k] <= 0xE9);
                unsure |= std::uint64_t{!is_sure} << k;
            }
        }
        if (unsure != 0) return passed;
    }
    return blocks;
}

}  // namespace

const CutKernels kCutScalar = {
    classify_scalar,   know_none,        find_characters,   lower_block,     Scalar::append,
    cut_ascii<Scalar>, cut_part<Scalar>, drop_space_scalar, pass_most<0xCC>, pass_most<0xC2>};

}  // namespace dsir::simd
