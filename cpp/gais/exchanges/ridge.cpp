#include "gais/exchanges/ridge.hpp"

#include <cmath>

#include "gais/dense_products.hpp"

namespace dsir::gais::exchanges {

void ridge_coefficients(std::vector<float>& products, const std::vector<std::int32_t>& labels,
                        std::int32_t classes, std::vector<float>& coefficients) {
    const auto size = static_cast<std::int64_t>(labels.size());
    const auto row = [&](std::int64_t i) { return products.data() + i * size; };
    // Cholesky, row by row: all sums are over consecutive numbers.
    for (std::int64_t i = 0; i < size; ++i) {
        for (std::int64_t j = 0; j < i; ++j) {
            row(i)[j] = (row(i)[j] - dot(row(i), row(j), j)) / row(j)[j];
        }
        // K has no negative eigenvalues, so that the square is 1 at least, but for rounding.
        row(i)[i] = std::sqrt(row(i)[i] + 1.0F - dot(row(i), row(i), i));
    }
    coefficients.resize(static_cast<std::size_t>(classes * size));
    for (std::int32_t label = 0; label < classes; ++label) {
        float* const own = coefficients.data() + label * size;
        for (std::int64_t i = 0; i < size; ++i) {
            own[i] = ((labels[i] == label ? 1.0F : -1.0F) - dot(row(i), own, i)) / row(i)[i];
        }
        for (std::int64_t i = size - 1; i >= 0; --i) {
            own[i] /= row(i)[i];
            for (std::int64_t j = 0; j < i; ++j) own[j] -= row(i)[j] * own[i];
        }
    }
}

}  // namespace dsir::gais::exchanges
