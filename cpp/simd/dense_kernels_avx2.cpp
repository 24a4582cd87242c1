#if defined(__x86_64__) || defined(_M_X64)
#include "simd/dense_kernels_loop.hpp"

namespace dsir::simd {

const DenseKernels<float> kDenseAvx2 = kDenseKernels<float>;

}  // namespace dsir::simd
#endif
