#include "simd/edge_kernels.hpp"

namespace dsir::simd {

template <>
const EdgeKernels<float>& edge_kernels() {
#if defined(__x86_64__) || defined(_M_X64)
    if (active_level() == Level::avx512) return kEdgesAvx512;
    if (active_level() == Level::avx2) return kEdgesAvx2;
#endif
    return kEdgesScalar;
}

template <>
const EdgeKernels<double>& edge_kernels() {
    return kEdgesScalarDouble;
}

}  // namespace dsir::simd
