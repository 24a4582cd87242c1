#include "simd/cut.hpp"

namespace dsir::simd {

const CutKernels& cut_kernels(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return kCutAvx512;
    if (level == Level::avx2) return kCutAvx2;
#elif defined(__aarch64__)
    if (level == Level::neon) return kCutNeon;
#endif
    (void)level;
    return kCutScalar;
}

}  // namespace dsir::simd
