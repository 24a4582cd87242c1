#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dsir::simd {

/// What SHA-256 carries from block to block: eight words, word 0 the most significant.
using Sha256State = std::array<std::uint32_t, 8>;

/// Takes in `count` blocks of 64 bytes.
using Sha256Compress = void (*)(Sha256State& state, const std::uint8_t* blocks, std::size_t count);

/// Takes in one block for each of two states.
using Sha256CompressTwo = void (*)(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                                   const std::uint8_t* block_b);

/// The fastest SHA-256 block function of this CPU at the active level.
Sha256Compress sha256_compress();

/// The same for one block each of two messages.
Sha256CompressTwo sha256_compress_two();

extern const std::array<std::uint32_t, 64> kSha256RoundConstants;

/// On every CPU.
void sha256_compress_scalar(Sha256State& state, const std::uint8_t* blocks, std::size_t count);
void sha256_compress_two_scalar(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                                const std::uint8_t* block_b);

/// With the SHA extensions of x86 (only where has_sha256_instructions()).
void sha256_compress_x86(Sha256State& state, const std::uint8_t* blocks, std::size_t count);
void sha256_compress_two_x86(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                             const std::uint8_t* block_b);

/// With the SHA2 extension of Arm, under the same condition.
void sha256_compress_arm(Sha256State& state, const std::uint8_t* blocks, std::size_t count);
void sha256_compress_two_arm(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                             const std::uint8_t* block_b);

}  // namespace dsir::simd
