#pragma once

#include <algorithm>
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
        Column far;
        std::fill_n(far.rows, simd::kPanelRows, std::numeric_limits<float>::infinity());
        columns_.assign(static_cast<std::size_t>(count_ * width), far);
    }
    void set(std::int64_t row, const float* values) {
        Column* const panel = columns_.data() + row / simd::kPanelRows * width_;
        for (std::int64_t f = 0; f < width_; ++f) panel[f].rows[row % simd::kPanelRows] = values[f];
    }
    std::int64_t rows() const { return rows_; }
    std::int64_t count() const { return count_; }
    /// The room that results need: the number of rows, rounded up to whole panels.
    std::size_t padded() const { return static_cast<std::size_t>(count_ * simd::kPanelRows); }

    /// Writes padded() values to `out`.
    void distances(const float* point, float* out) const {
        kernels_->distances(values(), count_, width_, point, out);
    }
    /// Writes padded() values for each of simd::kPointsTogether points to `out`.
    void distances_together(const float* const* points, float* out) const {
        kernels_->distances_together(values(), count_, width_, points, out);
    }
    /// Writes padded() values to `out`.
    void products(const float* point, float* out) const {
        kernels_->products(values(), count_, width_, point, out);
    }
    /// Writes padded() values to `out`, with the bits of `dot`.
    void lane_products(const float* point, float* out) const {
        kernels_->lane_products(values(), count_, width_, point, out);
    }
    std::int32_t nearest(const float* point, float& distance) const {
        return kernels_->nearest(values(), count_, width_, point, &distance);
    }

  private:
    /// A column of a panel. Aligned, because a vector that straddles two cache lines is read at
    /// half the speed.
    struct alignas(simd::kPanelRows * sizeof(float)) Column {
        float rows[simd::kPanelRows];
    };
    const float* values() const { return reinterpret_cast<const float*>(columns_.data()); }

    const simd::PanelKernels* kernels_ = &simd::panel_kernels(simd::active_level());
    std::int64_t rows_ = 0;
    std::int64_t width_ = 0;
    std::int64_t count_ = 0;
    std::vector<Column> columns_;
};

}  // namespace dsir::gais
