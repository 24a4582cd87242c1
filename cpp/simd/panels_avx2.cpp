#if defined(__x86_64__) || defined(_M_X64)
#include "simd/panels_loop.hpp"

namespace dsir::simd {

const PanelKernels kPanelsAvx2 = {distances, distances_together, below,         offer_all,
                                  least_few, place_least,        at_most,       either_equal,
                                  balances,  products,           lane_products, nearest};

}  // namespace dsir::simd
#endif
