#include "fasttext/matrix.hpp"

#include <algorithm>
#include <cmath>

namespace dsir::fasttext {
namespace {

constexpr std::size_t kCentroids = 256;

bool all_finite(const char* values, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        if (!std::isfinite(float_at(values, i))) return false;
    }
    return true;
}

}  // namespace

template <class Visit>
void Matrix::visit_centroids(std::size_t row, Visit&& visit) const {
    const char* const code = codes_.codes + row * codes_.groups;
    for (std::size_t group = 0; group < codes_.groups; ++group) {
        const std::size_t first = group * codes_.group_columns;
        // The last group may have fewer columns.
        const std::size_t width = std::min(codes_.group_columns, columns_ - first);
        const std::size_t at = first * kCentroids + static_cast<unsigned char>(code[group]) * width;
        for (std::size_t c = 0; c < width; ++c) {
            visit(first + c, float_at(codes_.centroids, at + c));
        }
    }
}

bool Matrix::finite() const {
    if (!quantised()) return all_finite(values_, rows_ * columns_);
    return all_finite(codes_.centroids, columns_ * kCentroids) &&
           (codes_.norm_codes == nullptr || all_finite(codes_.norms, kCentroids));
}

void Matrix::copy_row(std::size_t row, float* out) const {
    if (!quantised()) {
        std::memcpy(out, values_ + row * columns_ * sizeof(float), columns_ * sizeof(float));
        return;
    }
    const float norm = norm_of(row);
    visit_centroids(row, [&](std::size_t column, float value) { out[column] = norm * value; });
}

void Matrix::add_row(std::size_t row, float* sum) const {
    if (!quantised()) {
        const char* const values = values_ + row * columns_ * sizeof(float);
        for (std::size_t c = 0; c < columns_; ++c) sum[c] += float_at(values, c);
        return;
    }
    const float norm = norm_of(row);
    visit_centroids(row, [&](std::size_t column, float value) { sum[column] += norm * value; });
}

float Matrix::dot_row(std::size_t row, const float* vector) const {
    float sum = 0;
    if (!quantised()) {
        const char* const values = values_ + row * columns_ * sizeof(float);
        for (std::size_t c = 0; c < columns_; ++c) sum += float_at(values, c) * vector[c];
        return sum;
    }
    visit_centroids(row, [&](std::size_t column, float value) { sum += vector[column] * value; });
    return sum * norm_of(row);
}

std::vector<float> Matrix::copied() const {
    std::vector<float> values(rows_ * columns_);
    for (std::size_t row = 0; row < rows_; ++row) copy_row(row, values.data() + row * columns_);
    return values;
}

}  // namespace dsir::fasttext
