#include "simd/edge_kernels_loop.hpp"

namespace dsir::simd {

const EdgeKernels<float> kEdgesScalar = kKernels<float>;
const EdgeKernels<double> kEdgesScalarDouble = kKernels<double>;

}  // namespace dsir::simd
