#pragma once

#include <cstdint>

namespace dsir::gais::exchanges {

/// Sparse rows: row i has values[k] in columns[k] for k from offsets[i] to offsets[i + 1] - 1, each
/// column once. A view: the caller owns the arrays.
struct SparseRowsView {
    std::int64_t rows;
    std::int64_t width;
    const std::int64_t* offsets;
    const std::int32_t* columns;
    const float* values;
};

}  // namespace dsir::gais::exchanges
