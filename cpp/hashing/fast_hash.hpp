#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// The hash named "fast", version 1: 64 bits, for little-endian machines. Its values are a file
/// format; golden vectors in the tests pin them, and docs/reference/formats.md defines the hash in
/// words.
namespace dsir::hashing {

static_assert(std::endian::native == std::endian::little, "fast_hash reads little-endian words");

__extension__ typedef unsigned __int128 uint128;

inline constexpr int kFastHashVersion = 1;

// Files compiled for wider CPUs (cpp/simd) use these functions as well, so they must be inlined. If
// such a file held a copy out of line, the linker could give that copy to every caller, and on an
// older CPU it would crash.
#define DSIR_ALWAYS_INLINE [[gnu::always_inline]] inline

// The fractional parts of the square roots of 2, 3, 5, 7 and 11, made odd.
inline constexpr std::uint64_t kRoot2 = 0x6A09E667F3BCC909ULL;
inline constexpr std::uint64_t kRoot3 = 0xBB67AE8584CAA73BULL;
inline constexpr std::uint64_t kRoot5 = 0x3C6EF372FE94F82BULL;
inline constexpr std::uint64_t kRoot7 = 0xA54FF53A5F1D36F1ULL;
inline constexpr std::uint64_t kRoot11 = 0x510E527FADE682D1ULL;

/// The two halves of the 128-bit product, combined by exclusive or. Every bit of the result depends
/// on every bit of a and of b.
DSIR_ALWAYS_INLINE std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    const uint128 product = uint128{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

DSIR_ALWAYS_INLINE std::uint64_t load64(const std::uint8_t* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

/// Hash of a token, which is lower-cased UTF-8 of 1 to 2^32 - 1 bytes. The function reads at least
/// 8 bytes from `bytes` on, even if `length` is smaller: the caller provides the memory
/// (TokenBuffer does).
DSIR_ALWAYS_INLINE std::uint64_t token_hash(const std::uint8_t* bytes, std::size_t length) {
    std::uint64_t low = load64(bytes);
    std::uint64_t high = 0;
    std::uint64_t state = length;
    if (length <= 8) {
        low &= ~std::uint64_t{0} >> (64 - 8 * length);
    } else {
        // The loop takes sixteen bytes per step. The last step takes the last sixteen bytes; for a
        // token of 9 to 16 bytes it takes the first eight and the last eight, which may overlap.
        const std::uint8_t* const last = bytes + length - 8;
        if (length > 16) {
            const std::uint8_t* at = bytes;
            for (; at + 16 < bytes + length; at += 16) {
                state = fold(load64(at) ^ kRoot2 ^ state, load64(at + 8) ^ kRoot3);
            }
            low = load64(last - 8);
        }
        high = load64(last);
    }
    return fold(fold(low ^ kRoot2, high ^ kRoot3) ^ state, kRoot5);
}

/// Hash of the n-gram that consists of an (n-1)-gram and one more token. The order of the two
/// matters.
DSIR_ALWAYS_INLINE std::uint64_t extend_hash(std::uint64_t shorter, std::uint64_t token) {
    return fold(shorter ^ kRoot7, token ^ kRoot11);
}

/// Bucket of a 64-bit hash, 0 to buckets - 1: the hash as a fraction of 2^64, times the number of
/// buckets.
DSIR_ALWAYS_INLINE std::uint32_t bucket_of(std::uint64_t hash, std::uint32_t buckets) {
    return static_cast<std::uint32_t>((uint128{hash} * buckets) >> 64);
}

#undef DSIR_ALWAYS_INLINE

}  // namespace dsir::hashing
