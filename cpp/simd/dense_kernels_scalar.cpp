#include "simd/dense_kernels_loop.hpp"

namespace dsir::simd {

const DenseKernels<float> kDenseScalar = kDenseKernels<float>;
const DenseKernels<double> kDenseScalarDouble = kDenseKernels<double>;

}  // namespace dsir::simd
