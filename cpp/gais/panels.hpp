#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "simd/panels.hpp"

namespace dsir::gais {

/// Rows side by side in panels (simd/panels.hpp), for computing the distances from one point to all
/// rows. A row that was not set is infinitely far from everything.
class Panels {
  public:
    void resize(std::int64_t rows, std::int64_t width) {
        rows_ = rows;
        width_ = width;
        count_ = (rows + simd::kPanelRows - 1) / simd::kPanelRows;
        values_.assign(static_cast<std::size_t>(count_ * simd::kPanelRows * width),
                       std::numeric_limits<float>::infinity());
    }
    void set(std::int64_t row, const float* values) {
        if (width_ == 0) return;  // There is no memory to point into.
        float* const at = values_.data() + row / simd::kPanelRows * simd::kPanelRows * width_ +
                          row % simd::kPanelRows;
        for (std::int64_t f = 0; f < width_; ++f) at[f * simd::kPanelRows] = values[f];
    }
    std::int64_t rows() const { return rows_; }
    /// The room that results need: the number of rows, rounded up to whole panels.
    std::size_t padded() const { return static_cast<std::size_t>(count_ * simd::kPanelRows); }

    /// Writes padded() values to `out`.
    void distances(const float* point, float* out) const {
        kernels_->distances(values_.data(), count_, width_, point, out);
    }
    /// Writes padded() values to `out`.
    void products(const float* point, float* out) const {
        kernels_->products(values_.data(), count_, width_, point, out);
    }
    std::int32_t nearest(const float* point, float& distance) const {
        return kernels_->nearest(values_.data(), count_, width_, point, &distance);
    }

  private:
    const simd::PanelKernels* kernels_ = &simd::panel_kernels(simd::active_level());
    std::int64_t rows_ = 0;
    std::int64_t width_ = 0;
    std::int64_t count_ = 0;
    std::vector<float> values_;
};

}  // namespace dsir::gais
