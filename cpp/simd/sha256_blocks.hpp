#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace dsir::simd {

/// The state of SHA-256 between blocks: eight words, of which word 0 is the most significant.
using Sha256State = std::array<std::uint32_t, 8>;

/// Updates the state with `count` blocks of 64 bytes.
using Sha256Compress = void (*)(Sha256State& state, const std::uint8_t* blocks, std::size_t count);

/// Updates each of two states with one block.
using Sha256CompressTwo = void (*)(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                                   const std::uint8_t* block_b);

/// The fastest SHA-256 block function of this CPU at the active level.
Sha256Compress sha256_compress();

/// The fastest function for one block of each of two messages.
Sha256CompressTwo sha256_compress_two();

extern const std::array<std::uint32_t, 64> kSha256RoundConstants;

/// Runs on every CPU.
void sha256_compress_scalar(Sha256State& state, const std::uint8_t* blocks, std::size_t count);
void sha256_compress_two_scalar(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                                const std::uint8_t* block_b);

/// Uses the SHA extensions of x86. Call it only if has_sha256_instructions().
void sha256_compress_x86(Sha256State& state, const std::uint8_t* blocks, std::size_t count);
void sha256_compress_two_x86(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                             const std::uint8_t* block_b);

/// Uses the SHA2 extension of Arm. Call it only if has_sha256_instructions().
void sha256_compress_arm(Sha256State& state, const std::uint8_t* blocks, std::size_t count);
void sha256_compress_two_arm(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                             const std::uint8_t* block_b);

}  // namespace dsir::simd
