#include "gais/landmarks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <queue>
#include <utility>

#include "parallel/for_ranges.hpp"

namespace dsir::gais {
namespace {

constexpr double kLeastShare = 1e-4;
constexpr int kMostSweeps = 60;

/// Eigenvalues and eigenvectors of a symmetric matrix, by cyclic Jacobi rotations. A library would
/// be faster, but would not promise the same bits everywhere.
class SymmetricEigen {
  public:
    SymmetricEigen(std::vector<double> matrix, std::int64_t size)
        : matrix_(std::move(matrix)),
          vectors_(static_cast<std::size_t>(size * size), 0.0),
          size_(size) {
        for (std::int64_t i = 0; i < size; ++i) vectors_[i * size + i] = 1.0;
        double whole = 0;
        for (const double value : matrix_) whole += value * value;
        for (int sweep = 0; sweep < kMostSweeps && rest() > 1e-28 * whole; ++sweep) {
            for (std::int64_t p = 0; p < size; ++p) {
                for (std::int64_t q = p + 1; q < size; ++q) rotate(p, q);
            }
        }
    }
    double value(std::int64_t i) const { return matrix_[i * size_ + i]; }
    /// Vector i, in consecutive places.
    const double* vector(std::int64_t i) const { return vectors_.data() + i * size_; }

  private:
    double rest() const {
        double sum = 0;
        for (std::int64_t p = 0; p < size_; ++p) {
            for (std::int64_t q = p + 1; q < size_; ++q) {
                sum += matrix_[p * size_ + q] * matrix_[p * size_ + q];
            }
        }
        return sum;
    }
    void rotate(std::int64_t p, std::int64_t q) {
        const double off = matrix_[p * size_ + q];
        if (off == 0) return;
        const double theta = (value(q) - value(p)) / (2 * off);
        // For a very large theta the square would overflow; the quotient is then 0 all the same.
        const double tangent =
            (theta >= 0 ? 1.0 : -1.0) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double cosine = 1 / std::sqrt(tangent * tangent + 1);
        const double sine = tangent * cosine;
        for (std::int64_t k = 0; k < size_; ++k) {
            turn(matrix_[k * size_ + p], matrix_[k * size_ + q], cosine, sine);
        }
        for (std::int64_t k = 0; k < size_; ++k) {
            turn(matrix_[p * size_ + k], matrix_[q * size_ + k], cosine, sine);
            turn(vectors_[p * size_ + k], vectors_[q * size_ + k], cosine, sine);
        }
        matrix_[p * size_ + q] = matrix_[q * size_ + p] = 0;
    }
    static void turn(double& one, double& other, double cosine, double sine) {
        const double before = one;
        one = cosine * before - sine * other;
        other = sine * before + cosine * other;
    }

    std::vector<double> matrix_, vectors_;
    std::int64_t size_;
};

}  // namespace

std::vector<float> shortest_paths(const LengthGraph& graph, std::int32_t source) {
    std::vector<float> found(static_cast<std::size_t>(graph.rows),
                             std::numeric_limits<float>::infinity());
    using Place = std::pair<float, std::int32_t>;
    std::priority_queue<Place, std::vector<Place>, std::greater<>> waiting;
    found[source] = 0;
    waiting.emplace(0.0F, source);
    while (!waiting.empty()) {
        const auto [length, row] = waiting.top();
        waiting.pop();
        if (length > found[row]) continue;
        for (std::int64_t e = graph.offsets[row]; e < graph.offsets[row + 1]; ++e) {
            const float longer = length + graph.lengths[e];
            if (longer < found[graph.ends[e]]) {
                found[graph.ends[e]] = longer;
                waiting.emplace(longer, graph.ends[e]);
            }
        }
    }
    return found;
}

Coordinates landmark_coordinates(const LandmarkDistances& known, std::int64_t most,
                                 unsigned threads) {
    const std::int64_t size = known.landmarks;
    const auto squared = [&](std::int64_t l, std::int64_t m) {
        return static_cast<double>(known.squared[l * known.rows + known.at[m]]);
    };
    std::vector<double> among(static_cast<std::size_t>(size * size));
    for (std::int64_t l = 0; l < size; ++l) {
        for (std::int64_t m = 0; m < size; ++m) {
            among[l * size + m] = (squared(l, m) + squared(m, l)) / 2;
        }
    }
    std::vector<double> mean(static_cast<std::size_t>(size), 0.0);
    double whole = 0;
    for (std::int64_t l = 0; l < size; ++l) {
        for (std::int64_t m = 0; m < size; ++m) mean[l] += among[l * size + m];
        mean[l] /= static_cast<double>(size);
        whole += mean[l] / static_cast<double>(size);
    }
    for (std::int64_t l = 0; l < size; ++l) {
        for (std::int64_t m = 0; m < size; ++m) {
            among[l * size + m] = -0.5 * (among[l * size + m] - mean[l] - mean[m] + whole);
        }
    }
    const SymmetricEigen eigen(std::move(among), size);
    std::vector<std::int64_t> order(static_cast<std::size_t>(size));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
        return eigen.value(a) > eigen.value(b);
    });
    const double first = eigen.value(order.front());
    const double least = std::max(kLeastShare * first, -eigen.value(order.back()));
    std::int64_t kept = 0;
    while (kept < std::min(size, most) && eigen.value(order[kept]) > std::max(0.0, least)) ++kept;
    Coordinates found = {std::max<std::int64_t>(kept, 1), {}};
    found.values.assign(static_cast<std::size_t>(known.rows * found.width), 0.0F);
    // Where landmark l pulls the rows: [landmarks, kept].
    std::vector<double> pull(static_cast<std::size_t>(size * kept));
    for (std::int64_t k = 0; k < kept; ++k) {
        const double scale = -0.5 / std::sqrt(eigen.value(order[k]));
        for (std::int64_t l = 0; l < size; ++l) {
            pull[l * kept + k] = scale * eigen.vector(order[k])[l];
        }
    }
    parallel::for_ranges(known.rows, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<double> sum(static_cast<std::size_t>(kept));
        for (std::int64_t i = begin; i < end; ++i) {
            std::fill(sum.begin(), sum.end(), 0.0);
            for (std::int64_t l = 0; l < size; ++l) {
                const double away =
                    static_cast<double>(known.squared[l * known.rows + i]) - mean[l];
                for (std::int64_t k = 0; k < kept; ++k) sum[k] += away * pull[l * kept + k];
            }
            for (std::int64_t k = 0; k < kept; ++k) {
                found.values[i * found.width + k] = static_cast<float>(sum[k]);
            }
        }
    });
    return found;
}

}  // namespace dsir::gais
