#include "simd/panels.hpp"

namespace dsir::simd {

const PanelKernels& panel_kernels(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return kPanelsAvx512;
    if (level == Level::avx2) return kPanelsAvx2;
#elif defined(__aarch64__)
    if (level == Level::neon) return kPanelsNeon;
#endif
    (void)level;
    return kPanelsScalar;
}

}  // namespace dsir::simd
