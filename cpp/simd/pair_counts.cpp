#include "simd/pair_counts.hpp"

namespace dsir::simd {

CountPairs count_pairs_kernel(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return count_pairs_avx512;
    if (level == Level::avx2) return count_pairs_avx2;
#endif
    (void)level;
    return count_pairs_scalar;
}

}  // namespace dsir::simd
