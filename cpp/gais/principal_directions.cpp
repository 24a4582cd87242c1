#include "gais/principal_directions.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gais/dense_products.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::gais {
namespace {

using Values = std::vector<double>;

/// Eigenvalues below this share of the largest are taken for 0.
constexpr double kLeast = 1e-13;

Values zeros(std::int64_t rows, std::int64_t width) {
    return Values(static_cast<std::size_t>(rows * width), 0.0);
}

/// A transposed copy, whose rows have their entries in the order of the rows of
/// the original.
struct Transposed {
    explicit Transposed(const SparseRows& matrix)
        : offsets(static_cast<std::size_t>(matrix.columns + 1), 0) {
        const std::int64_t entries = matrix.offsets[matrix.rows];
        indices.resize(static_cast<std::size_t>(entries));
        values.resize(static_cast<std::size_t>(entries));
        for (std::int64_t e = 0; e < entries; ++e) ++offsets[matrix.indices[e] + 1];
        std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
        std::vector<std::int64_t> next(offsets.begin(), offsets.end() - 1);
        for (std::int64_t r = 0; r < matrix.rows; ++r) {
            for (std::int64_t e = matrix.offsets[r]; e < matrix.offsets[r + 1]; ++e) {
                const std::int64_t at = next[matrix.indices[e]]++;
                indices[at] = static_cast<std::int32_t>(r);
                values[at] = matrix.values[e];
            }
        }
        view = {matrix.columns, matrix.rows, offsets.data(), indices.data(), values.data()};
    }

    std::vector<std::int64_t> offsets;
    std::vector<std::int32_t> indices;
    Values values;
    SparseRows view{};
};

/// Eigenvectors of a symmetric matrix [size, size], one a row, by falling
/// eigenvalue, and the eigenvalues (Jacobi's method).
struct Eigen {
    Values vectors, values;

    Eigen(Values matrix, std::int64_t size) {
        Values rotated = zeros(size, size);
        for (std::int64_t i = 0; i < size; ++i) rotated[i * size + i] = 1;
        constexpr int kSweeps = 30;
        double largest = 0;
        for (std::int64_t i = 0; i < size; ++i) {
            largest = std::max(largest, std::abs(matrix[i * size + i]));
        }
        for (int sweep = 0; sweep < kSweeps; ++sweep) {
            if (!rotate_all(matrix, rotated, size, largest * 1e-18)) break;
        }
        std::vector<std::int64_t> order(static_cast<std::size_t>(size));
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
            return matrix[a * size + a] > matrix[b * size + b];
        });
        for (const std::int64_t at : order) {
            values.push_back(matrix[at * size + at]);
            vectors.insert(vectors.end(), rotated.begin() + at * size,
                           rotated.begin() + (at + 1) * size);
        }
    }

  private:
    /// One sweep over all pairs; false if every pair was small enough already.
    static bool rotate_all(Values& matrix, Values& rotated, std::int64_t size, double least) {
        bool turned = false;
        for (std::int64_t p = 0; p < size; ++p) {
            for (std::int64_t q = p + 1; q < size; ++q) {
                const double off = matrix[p * size + q];
                const double first = matrix[p * size + p];
                const double second = matrix[q * size + q];
                if (!(std::abs(off) > 1e-15 * std::sqrt(std::abs(first * second))) ||
                    !(std::abs(off) > least)) {
                    continue;
                }
                turned = true;
                const double ratio = (second - first) / (2 * off);
                const double tangent =
                    (ratio < 0 ? -1 : 1) / (std::abs(ratio) + std::sqrt(1 + ratio * ratio));
                const double cosine = 1 / std::sqrt(1 + tangent * tangent);
                const double sine = tangent * cosine;
                turn(&matrix[p * size], &matrix[q * size], 1, size, cosine, sine);
                turn(&matrix[p], &matrix[q], size, size, cosine, sine);
                turn(&rotated[p * size], &rotated[q * size], 1, size, cosine, sine);
            }
        }
        return turned;
    }

    static void turn(double* one, double* other, std::int64_t step, std::int64_t size,
                     double cosine, double sine) {
        for (std::int64_t k = 0; k < size; ++k, one += step, other += step) {
            const double kept = cosine * *one - sine * *other;
            *other = sine * *one + cosine * *other;
            *one = kept;
        }
    }
};

/// The columns of `basis`, [rows, width], turned and scaled so that they are
/// orthonormal, by falling size: basis · E · Λ^(-1/2) with basis^T basis = E Λ
/// E^T. Columns of no size become 0.
Values orthonormal(const Values& basis, std::int64_t rows, std::int64_t width, unsigned threads) {
    Values products = zeros(width, width);
    multiply_transposed(basis.data(), basis.data(), products.data(), rows, width, width, threads);
    const Eigen eigen(std::move(products), width);
    Values turns = zeros(width, width);
    for (std::int64_t k = 0; k < width; ++k) {
        if (!(eigen.values[k] > kLeast * eigen.values[0])) continue;
        const double scale = 1 / std::sqrt(eigen.values[k]);
        for (std::int64_t j = 0; j < width; ++j) {
            turns[j * width + k] = eigen.vectors[k * width + j] * scale;
        }
    }
    Values turned = zeros(rows, width);
    multiply(basis.data(), turns.data(), turned.data(), rows, width, width, threads);
    return turned;
}

}  // namespace

void multiply_sparse(const SparseRows& matrix, const double* dense, std::int64_t width, double* out,
                     unsigned threads) {
    parallel::for_ranges(matrix.rows, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::fill(out + begin * width, out + end * width, 0.0);
        for (std::int64_t r = begin; r < end; ++r) {
            double* const row = out + r * width;
            for (std::int64_t e = matrix.offsets[r]; e < matrix.offsets[r + 1]; ++e) {
                const double value = matrix.values[e];
                const double* const other = dense + matrix.indices[e] * width;
                for (std::int64_t k = 0; k < width; ++k) {
                    row[k] += value * other[k];
                }
            }
        }
    });
}

std::vector<double> principal_directions(const SparseRows& matrix, const double* start,
                                         std::int64_t width, std::int64_t rank, int iterations,
                                         unsigned threads) {
    const Transposed transposed(matrix);
    Values of_rows = zeros(matrix.rows, width);
    Values of_columns(start, start + matrix.columns * width);
    for (int step = 0; step <= iterations; ++step) {
        multiply_sparse(matrix, of_columns.data(), width, of_rows.data(), threads);
        // The second time mends what rounding left.
        of_rows = orthonormal(orthonormal(of_rows, matrix.rows, width, threads), matrix.rows, width,
                              threads);
        multiply_sparse(transposed.view, of_rows.data(), width, of_columns.data(), threads);
        if (step < iterations) {
            of_columns = orthonormal(of_columns, matrix.columns, width, threads);
        }
    }
    const Values directions = orthonormal(of_columns, matrix.columns, width, threads);
    Values kept = zeros(matrix.columns, rank);
    for (std::int64_t c = 0; c < matrix.columns; ++c) {
        std::copy_n(directions.begin() + c * width, rank, kept.begin() + c * rank);
    }
    return kept;
}

}  // namespace dsir::gais
