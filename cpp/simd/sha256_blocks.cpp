#include "simd/sha256_blocks.hpp"

#include "simd/cpu.hpp"

namespace dsir::simd {

Sha256Compress sha256_compress() {
#if defined(__x86_64__) || defined(_M_X64)
    if (has_sha256_instructions()) return sha256_compress_x86;
#elif defined(__aarch64__)
    if (has_sha256_instructions()) return sha256_compress_arm;
#endif
    return sha256_compress_scalar;
}

Sha256CompressTwo sha256_compress_two() {
#if defined(__x86_64__) || defined(_M_X64)
    if (has_sha256_instructions()) return sha256_compress_two_x86;
#elif defined(__aarch64__)
    if (has_sha256_instructions()) return sha256_compress_two_arm;
#endif
    return sha256_compress_two_scalar;
}

}  // namespace dsir::simd
