#pragma once

#include <cstdint>

/// Rows of numbers, sparse or dense, as the kernels see them. All types here are views: the caller
/// owns the arrays and keeps them alive.
namespace dsir::numeric {

/// Compressed sparse rows. Row r has the entries offsets[r] to offsets[r + 1] - 1. The value of
/// entry k is `values[k] * column_scale[columns[k]]`, in column columns[k]. The columns of a row
/// ascend.
template <class Value>
struct SparseRows {
    std::int64_t size;   ///< rows
    std::int64_t width;  ///< columns
    const std::int64_t* offsets;
    const std::int32_t* columns;
    const Value* values;
    const double* column_scale;

    std::int64_t entries() const { return offsets[size]; }

    /// Calls body(column, value) for the entries of a row in order. The values are not scaled.
    template <class Body>
    void each(std::int64_t row, Body&& body) const {
        const std::int64_t end = offsets[row + 1];
        for (std::int64_t k = offsets[row]; k < end; ++k) {
            body(columns[k], static_cast<double>(values[k]));
        }
    }
    double scale(std::int64_t column) const { return column_scale[column]; }
};

/// Rows of equal width, such as embeddings.
struct DenseRows {
    std::int64_t size;
    std::int64_t width;
    const float* values;  ///< [size, width], row by row

    std::int64_t entries() const { return size * width; }
    template <class Body>
    void each(std::int64_t row, Body&& body) const {
        const float* const at = values + row * width;
        for (std::int64_t k = 0; k < width; ++k) body(k, static_cast<double>(at[k]));
    }
    static double scale(std::int64_t) { return 1.0; }
};

}  // namespace dsir::numeric
