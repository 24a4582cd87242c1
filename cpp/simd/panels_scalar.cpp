#include "simd/panels_loop.hpp"

namespace dsir::simd {

const PanelKernels kPanelsScalar = {distances, distances_together, below, products, nearest};

}  // namespace dsir::simd
