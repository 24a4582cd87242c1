#include "simd/panels_loop.hpp"

namespace dsir::simd {

const PanelKernels kPanelsScalar = {distances, products, nearest};

}  // namespace dsir::simd
