#pragma once

#include "hashing/sha256.hpp"

namespace dsir::simd {

/// The fastest SHA-256 block function of this CPU at the active level.
hashing::detail::Compress sha256_compress();

/// The same for one block each of two messages.
hashing::detail::CompressTwo sha256_compress_two();

/// With the SHA extensions of x86 (only where has_sha256_instructions()).
void sha256_compress_x86(hashing::Sha256State& state, const std::uint8_t* blocks,
                         std::size_t count);
void sha256_compress_two_x86(hashing::Sha256State& a, const std::uint8_t* block_a,
                             hashing::Sha256State& b, const std::uint8_t* block_b);

/// With the SHA2 extension of Arm, under the same condition.
void sha256_compress_arm(hashing::Sha256State& state, const std::uint8_t* blocks,
                         std::size_t count);
void sha256_compress_two_arm(hashing::Sha256State& a, const std::uint8_t* block_a,
                             hashing::Sha256State& b, const std::uint8_t* block_b);

}  // namespace dsir::simd
