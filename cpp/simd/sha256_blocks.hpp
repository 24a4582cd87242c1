#pragma once

#include "hashing/sha256.hpp"

namespace dsir::simd {

/// The fastest SHA-256 block function of this CPU at the active level.
hashing::detail::Compress sha256_compress();

/// With the SHA extensions of x86 (only where has_sha256_instructions()).
void sha256_compress_x86(hashing::Sha256State& state, const std::uint8_t* blocks,
                         std::size_t count);

}  // namespace dsir::simd
