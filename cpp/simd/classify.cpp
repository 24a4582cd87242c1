#include "simd/classify.hpp"

#include "simd/cut.hpp"

namespace dsir::simd {

Classify classify_kernel(Level level) {
    return cut_kernels(level).classify;
}

}  // namespace dsir::simd
