#include "simd/fast_ngrams.hpp"

namespace dsir::simd {

FastNgrams fast_ngrams_kernel(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return fast_ngrams_avx512;
    if (level == Level::avx2) return fast_ngrams_avx2;
#endif
    (void)level;
    return fast_ngrams_scalar;
}

TokenHashes token_hashes_kernel(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return token_hashes_avx512;
    if (level == Level::avx2) return token_hashes_avx2;
#endif
    (void)level;
    return token_hashes_scalar;
}

HashSteps hash_steps(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return hash_steps_avx512();
    if (level == Level::avx2) return hash_steps_avx2();
#endif
    (void)level;
    return hash_steps_scalar();
}

}  // namespace dsir::simd
