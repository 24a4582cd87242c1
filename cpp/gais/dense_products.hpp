#pragma once

#include <cstdint>

/// Products of small dense matrices, which are stored row by row. Every sum is taken in an order
/// that depends only on the sizes, so any number of threads gives the same bits. A BLAS does not
/// promise that.
namespace dsir::gais {

/// out[rows, columns] = left[rows, inner] right[inner, columns].
template <class Value>
void multiply(const Value* left, const Value* right, Value* out, std::int64_t rows,
              std::int64_t inner, std::int64_t columns, unsigned threads);

/// out[inner, columns] = left[rows, inner]^T right[rows, columns]. Sums over blocks of rows are
/// added in order.
template <class Value>
void multiply_transposed(const Value* left, const Value* right, Value* out, std::int64_t rows,
                         std::int64_t inner, std::int64_t columns, unsigned threads);

/// The sum of left[k] * right[k], in eight lanes.
template <class Value>
inline Value dot(const Value* left, const Value* right, std::int64_t size) {
    Value lanes[8] = {};
    std::int64_t k = 0;
    for (; k + 8 <= size; k += 8) {
        for (int lane = 0; lane < 8; ++lane) lanes[lane] += left[k + lane] * right[k + lane];
    }
    for (int lane = 0; lane < 8 && k < size; ++k, ++lane) lanes[lane] += left[k] * right[k];
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
           ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/// The squared Euclidean distance, in eight lanes.
inline float squared_distance(const float* left, const float* right, std::int64_t size) {
    float lanes[8] = {};
    std::int64_t k = 0;
    for (; k + 8 <= size; k += 8) {
        for (int lane = 0; lane < 8; ++lane) {
            const float difference = left[k + lane] - right[k + lane];
            lanes[lane] += difference * difference;
        }
    }
    for (int lane = 0; lane < 8 && k < size; ++k, ++lane) {
        const float difference = left[k] - right[k];
        lanes[lane] += difference * difference;
    }
    return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
           ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

}  // namespace dsir::gais
