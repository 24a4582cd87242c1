#include "simd/code_points.hpp"

namespace dsir::simd {

const CodePointKernels& code_point_kernels(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return kCodePointsAvx512;
    if (level == Level::avx2) return kCodePointsAvx2;
#endif
    (void)level;
    return kCodePointsScalar;
}

}  // namespace dsir::simd
