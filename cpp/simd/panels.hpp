#pragma once

#include <cstdint>

#include "simd/cpu.hpp"

/// Kernels over rows that lie in panels: kPanelRows rows side by side, one column after another.
/// A row's sum is taken column by column, whatever the width of the kernel: the same bits.
namespace dsir::simd {

constexpr std::int64_t kPanelRows = 16;

struct PanelKernels {
    /// out[row] = squared Euclidean distance from the row to the point, kPanelRows a panel.
    void (*distances)(const float* panels, std::int64_t count, std::int64_t width,
                      const float* point, float* out);
    /// out[row] = inner product of the row and the point.
    void (*products)(const float* panels, std::int64_t count, std::int64_t width,
                     const float* point, float* out);
    /// The row nearest to the point, the first among equals, and its squared distance; 0 and
    /// infinity where no distance is finite.
    std::int32_t (*nearest)(const float* panels, std::int64_t count, std::int64_t width,
                            const float* point, float* distance);
};

/// Those of that width. Widths the build does not have fall back to scalar.
const PanelKernels& panel_kernels(Level level);

extern const PanelKernels kPanelsScalar;
extern const PanelKernels kPanelsNeon;
extern const PanelKernels kPanelsAvx2;
extern const PanelKernels kPanelsAvx512;

}  // namespace dsir::simd
