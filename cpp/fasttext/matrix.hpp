#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace dsir::fasttext {

inline float float_at(const char* bytes, std::size_t index) {
    float value;
    std::memcpy(&value, bytes + index * sizeof value, sizeof value);
    return value;
}

/// The codes of a quantised matrix (Jégou et al. 2011, product quantisation): each row is a norm
/// times centroids, one for each group of columns.
struct Codes {
    const char* codes = nullptr;  ///< [rows, groups]
    std::size_t groups = 0;
    std::size_t group_columns = 0;  ///< columns of every group but the last
    const char* centroids = nullptr;
    const char* norm_codes = nullptr;  ///< [rows]; null if there are no norms
    const char* norms = nullptr;       ///< float[256]
};

/// A view of a matrix in the bytes of a model file, which may lie at any address.
class Matrix {
  public:
    Matrix() = default;
    Matrix(std::size_t rows, std::size_t columns, const char* values)
        : rows_(rows), columns_(columns), values_(values) {}
    Matrix(std::size_t rows, std::size_t columns, const Codes& codes)
        : rows_(rows), columns_(columns), codes_(codes) {}

    std::size_t rows() const { return rows_; }
    std::size_t columns() const { return columns_; }
    bool quantised() const { return values_ == nullptr; }
    /// The values of a matrix that is not quantised: float[rows, columns].
    const char* values() const { return values_; }

    /// Whether every number in the file is finite.
    bool finite() const;

    /// Sets out[columns] to a row.
    void copy_row(std::size_t row, float* out) const;
    /// Adds a row to sum[columns], with the rounding of fastText.
    void add_row(std::size_t row, float* sum) const;
    /// The product of a row and vector[columns], with the rounding of fastText.
    float dot_row(std::size_t row, const float* vector) const;

    /// The whole matrix: float[rows * columns].
    std::vector<float> copied() const;

  private:
    float norm_of(std::size_t row) const {
        if (codes_.norm_codes == nullptr) return 1.0F;
        return float_at(codes_.norms, static_cast<unsigned char>(codes_.norm_codes[row]));
    }
    /// Calls visit(column, centroid value) for each column of a quantised row.
    template <class Visit>
    void visit_centroids(std::size_t row, Visit&& visit) const;

    std::size_t rows_ = 0;
    std::size_t columns_ = 0;
    const char* values_ = nullptr;
    Codes codes_;
};

}  // namespace dsir::fasttext
