#include <algorithm>
#include <cmath>

#include "gais/dense_products.hpp"
#include "gais/judges/judges.hpp"
#include "numeric/portable_exp_float.hpp"

namespace dsir::gais::judges {
namespace {

/// An upper bound of the curvature of the loss: half the largest eigenvalue of X^T W X, which power
/// steps find and which gets a margin, plus 1 for the squared coefficients.
float curvature(const std::vector<float>& inputs, const std::vector<float>& weights,
                std::int64_t rows, std::int64_t width) {
    constexpr int kSteps = 12;
    std::vector<float> along(static_cast<std::size_t>(width), 1.0F);
    std::vector<float> image(static_cast<std::size_t>(rows));
    float largest = 0;
    for (int step = 0; step < kSteps; ++step) {
        const float length = std::sqrt(gais::dot(along.data(), along.data(), width));
        if (!(length > 0)) return 1.0F;
        for (float& value : along) value /= length;
        for (std::int64_t i = 0; i < rows; ++i) {
            image[i] = gais::dot(inputs.data() + i * width, along.data(), width) * weights[i];
        }
        gais::multiply_transposed(inputs.data(), image.data(), along.data(), rows, width, 1, 1);
        largest = std::sqrt(gais::dot(along.data(), along.data(), width));
    }
    return 1.1F * 0.5F * largest + 1.0F;
}

/// The rows of X, each followed by a one.
std::vector<float> with_ones(const LabelledRows& table, const std::int32_t* numbers,
                             std::int64_t size) {
    const std::int64_t width = table.rows.width + 1;
    std::vector<float> out(static_cast<std::size_t>(size * width));
    for (std::int64_t i = 0; i < size; ++i) {
        std::copy(table.row(numbers[i]), table.row(numbers[i]) + width - 1,
                  out.begin() + i * width);
        out[i * width + width - 1] = 1.0F;
    }
    return out;
}

/// The weights of the training rows over their mean.
std::vector<float> relative_weights(const TrainingRows& train) {
    double total = 0;
    for (std::int64_t i = 0; i < train.size; ++i) total += train.weight_of(i);
    std::vector<float> out(static_cast<std::size_t>(train.size));
    for (std::int64_t i = 0; i < train.size; ++i) {
        out[i] = static_cast<float>(train.weight_of(i) * static_cast<double>(train.size) / total);
    }
    return out;
}

/// Replaces logits by probabilities.
void softmax(float* row, std::int64_t classes) {
    const float peak = *std::max_element(row, row + classes);
    for (std::int64_t c = 0; c < classes; ++c) row[c] = numeric::portable_exp_float(row[c] - peak);
    float total = 0;
    for (std::int64_t c = 0; c < classes; ++c) total += row[c];
    for (std::int64_t c = 0; c < classes; ++c) row[c] /= total;
}

}  // namespace

std::vector<Answer> linear_answers(const LabelledRows& table, const TrainingRows& train,
                                   const RowNumbers& asked, std::int64_t steps) {
    const std::int64_t width = table.rows.width + 1;
    const std::int64_t classes = table.classes;
    const auto size = static_cast<std::size_t>(width * classes);
    const std::vector<float> inputs = with_ones(table, train.at, train.size);
    const std::vector<float> counted = relative_weights(train);
    const float rate = 1.0F / curvature(inputs, counted, train.size, width);
    std::vector<float> weights(size, 0.0F), ahead(size, 0.0F), slope(size), logits;
    logits.resize(static_cast<std::size_t>(train.size * classes));
    float momentum = 1;
    for (std::int64_t step = 0; step < steps; ++step) {
        gais::multiply(inputs.data(), ahead.data(), logits.data(), train.size, width, classes, 1);
        for (std::int64_t i = 0; i < train.size; ++i) {
            float* const row = logits.data() + i * classes;
            softmax(row, classes);
            row[table.labels[train.at[i]]] -= 1;
            for (std::int64_t c = 0; c < classes; ++c) row[c] *= counted[i];
        }
        gais::multiply_transposed(inputs.data(), logits.data(), slope.data(), train.size, width,
                                  classes, 1);
        // The last row of coefficients is for the ones, and its squares are not in the loss.
        for (std::size_t k = 0; k < size - static_cast<std::size_t>(classes); ++k) {
            slope[k] += ahead[k];
        }
        const float next = (1 + std::sqrt(1 + 4 * momentum * momentum)) / 2;
        float uphill = 0;
        for (std::size_t k = 0; k < size; ++k) {
            const float moved = ahead[k] - rate * slope[k];
            uphill += slope[k] * (moved - weights[k]);
            ahead[k] = moved + (momentum - 1) / next * (moved - weights[k]);
            weights[k] = moved;
        }
        momentum = uphill > 0 ? 1.0F : next;
        if (uphill > 0) ahead = weights;
    }
    const std::vector<float> questions = with_ones(table, asked.at, asked.size);
    logits.resize(static_cast<std::size_t>(asked.size * classes));
    gais::multiply(questions.data(), weights.data(), logits.data(), asked.size, width, classes, 1);
    // Probabilities below this would make the loss of a single row count for all.
    constexpr float kLeast = 1e-6F;
    std::vector<Answer> answers(static_cast<std::size_t>(asked.size));
    for (std::int64_t i = 0; i < asked.size; ++i) {
        float* const of_row = logits.data() + i * classes;
        const auto guess =
            static_cast<std::int32_t>(std::max_element(of_row, of_row + classes) - of_row);
        softmax(of_row, classes);
        answers[i] = {guess, std::max(kLeast, of_row[table.labels[asked.at[i]]])};
    }
    return answers;
}

}  // namespace dsir::gais::judges
