#include "simd/panels_loop.hpp"

namespace dsir::simd {

const PanelKernels kPanelsScalar = {distances, distances_together, below,  offer_all,
                                    balances,  products,           nearest};

}  // namespace dsir::simd
