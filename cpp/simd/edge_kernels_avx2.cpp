#if defined(__x86_64__) || defined(_M_X64)
#include "simd/edge_kernels_loop.hpp"

namespace dsir::simd {

const EdgeKernels<float> kEdgesAvx2 = kKernels<float>;

}  // namespace dsir::simd
#endif
