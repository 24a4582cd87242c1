#include "simd/dense_kernels.hpp"

namespace dsir::simd {

template <>
const DenseKernels<float>& dense_kernels() {
#if defined(__x86_64__) || defined(_M_X64)
    if (active_level() == Level::avx512) return kDenseAvx512;
    if (active_level() == Level::avx2) return kDenseAvx2;
#endif
    return kDenseScalar;
}

template <>
const DenseKernels<double>& dense_kernels() {
    return kDenseScalarDouble;
}

}  // namespace dsir::simd
