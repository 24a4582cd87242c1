#pragma once

#include <cstring>
#include <type_traits>

#include "simd/dense_kernels.hpp"
#include "simd/unit_lanes.hpp"

// The unnamed namespace gives every width code of its own.
namespace dsir::simd {
namespace {

/// The columns from `first` on of a product, in as many vectors as Pieces says.
template <std::int64_t Pieces, class Lanes>
inline void multiply_columns(const float* left, const float* right, float* out, std::int64_t inner,
                             std::int64_t columns, std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kSize = sizeof(Lanes) / sizeof(float);
    for (std::int64_t i = begin; i < end; ++i) {
        const float* const from = left + i * inner;
        Lanes sums[Pieces] = {};
        std::int64_t k = 0;
        for (; k + 4 <= inner; k += 4) {
            const float* const r = right + k * columns;
#pragma GCC unroll 4
            for (std::int64_t p = 0; p < Pieces; ++p) {
                Lanes a, b, c, d;
                load(a, r + p * kSize);
                load(b, r + columns + p * kSize);
                load(c, r + 2 * columns + p * kSize);
                load(d, r + 3 * columns + p * kSize);
                sums[p] += (from[k] * a + from[k + 1] * b) + (from[k + 2] * c + from[k + 3] * d);
            }
        }
        for (; k < inner; ++k) {
#pragma GCC unroll 4
            for (std::int64_t p = 0; p < Pieces; ++p) {
                Lanes a;
                load(a, right + k * columns + p * kSize);
                sums[p] += from[k] * a;
            }
        }
#pragma GCC unroll 4
        for (std::int64_t p = 0; p < Pieces; ++p) store(sums[p], out + i * columns + p * kSize);
    }
}

template <class Value>
void multiply(const Value* left, const Value* right, Value* out, std::int64_t inner,
              std::int64_t columns, std::int64_t begin, std::int64_t end) {
    std::int64_t first = 0;
    if constexpr (std::is_same_v<Value, float>) {
        for (; first + 2 * kWide <= columns; first += 2 * kWide) {
            multiply_columns<2, Wide>(left, right + first, out + first, inner, columns, begin, end);
        }
        for (; first + 8 <= columns; first += 8) {
            multiply_columns<1, Eight>(left, right + first, out + first, inner, columns, begin,
                                       end);
        }
        for (; first + 4 <= columns; first += 4) {
            multiply_columns<1, Four>(left, right + first, out + first, inner, columns, begin, end);
        }
    }
    for (std::int64_t i = begin; i < end; ++i) {
        const Value* const from = left + i * inner;
        for (std::int64_t m = first; m < columns; ++m) {
            const Value* r = right + m;
            Value sum = 0;
            std::int64_t k = 0;
            for (; k + 4 <= inner; k += 4, r += 4 * columns) {
                sum += (from[k] * r[0] + from[k + 1] * r[columns]) +
                       (from[k + 2] * r[2 * columns] + from[k + 3] * r[3 * columns]);
            }
            for (; k < inner; ++k, r += columns) sum += from[k] * r[0];
            out[i * columns + m] = sum;
        }
    }
}

/// The sums of `Rows` rows of the transposed product, in the columns of `Pieces` vectors.
template <std::int64_t Rows, std::int64_t Pieces, class Lanes>
inline void add_block(const float* left, const float* right, float* sums, std::int64_t inner,
                      std::int64_t columns, std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t kSize = sizeof(Lanes) / sizeof(float);
    Lanes held[Rows][Pieces];
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < Rows; ++k) {
#pragma GCC unroll 4
        for (std::int64_t p = 0; p < Pieces; ++p) load(held[k][p], sums + k * columns + p * kSize);
    }
    for (std::int64_t i = begin; i < end; ++i) {
        Lanes row[Pieces];
#pragma GCC unroll 4
        for (std::int64_t p = 0; p < Pieces; ++p) load(row[p], right + i * columns + p * kSize);
#pragma GCC unroll 4
        for (std::int64_t k = 0; k < Rows; ++k) {
#pragma GCC unroll 4
            for (std::int64_t p = 0; p < Pieces; ++p) held[k][p] += left[i * inner + k] * row[p];
        }
    }
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < Rows; ++k) {
#pragma GCC unroll 4
        for (std::int64_t p = 0; p < Pieces; ++p) store(held[k][p], sums + k * columns + p * kSize);
    }
}

template <std::int64_t Pieces, class Lanes>
inline void add_columns(const float* left, const float* right, float* sums, std::int64_t inner,
                        std::int64_t columns, std::int64_t begin, std::int64_t end) {
    std::int64_t k = 0;
    for (; k + 4 <= inner; k += 4) {
        add_block<4, Pieces, Lanes>(left + k, right, sums + k * columns, inner, columns, begin,
                                    end);
    }
    for (; k < inner; ++k) {
        add_block<1, Pieces, Lanes>(left + k, right, sums + k * columns, inner, columns, begin,
                                    end);
    }
}

template <class Value>
void add_transposed(const Value* left, const Value* right, Value* sums, std::int64_t inner,
                    std::int64_t columns, std::int64_t begin, std::int64_t end) {
    std::int64_t first = 0;
    if constexpr (std::is_same_v<Value, float>) {
        for (; first + 2 * kWide <= columns; first += 2 * kWide) {
            add_columns<2, Wide>(left, right + first, sums + first, inner, columns, begin, end);
        }
        for (; first + 8 <= columns; first += 8) {
            add_columns<1, Eight>(left, right + first, sums + first, inner, columns, begin, end);
        }
        for (; first + 4 <= columns; first += 4) {
            add_columns<1, Four>(left, right + first, sums + first, inner, columns, begin, end);
        }
    }
    if (first == columns) return;
    for (std::int64_t i = begin; i < end; ++i) {
        for (std::int64_t k = 0; k < inner; ++k) {
            const Value own = left[i * inner + k];
            for (std::int64_t m = first; m < columns; ++m) {
                sums[k * columns + m] += own * right[i * columns + m];
            }
        }
    }
}

/// The bits of `values` where `kept` is -1, and 0 elsewhere.
inline void mask_lanes(Wide& values, const std::int8_t* kept) {
    using Bytes = std::int8_t __attribute__((vector_size(kWide)));
    Bytes bytes;
    std::memcpy(&bytes, kept, sizeof bytes);
    WholeWide bits;
    std::memcpy(&bits, &values, sizeof bits);
    bits &= __builtin_convertvector(bytes, WholeWide);
    std::memcpy(&values, &bits, sizeof bits);
}

inline float exponential(float x) {
    return numeric::portable_exp_float(x);
}
inline double exponential(double x) {
    return numeric::portable_exp(x);
}

template <class Value>
void activate(const UnitLayer<Value>& layer, Value* values, std::int64_t begin, std::int64_t end) {
    const std::int64_t columns = layer.columns;
    const bool drops = layer.rate > 0;
    const auto scale = static_cast<Value>(1.0 / (1.0 - layer.rate));
    if (drops) {
        mark_kept(layer.seed, begin * columns, (end - begin) * columns, layer.rate,
                  layer.kept + begin * columns);
    }
    for (std::int64_t i = begin; i < end; ++i) {
        Value* const row = values + i * columns;
        const std::int8_t* const kept = layer.kept + i * columns;
        std::int64_t c = 0;
        if constexpr (std::is_same_v<Value, float>) {
            for (; c + kWide <= columns; c += kWide) {
                Wide own, bias;
                load(own, row + c);
                load(bias, layer.bias + c);
                own += bias;
                Wide raised = own < 0.0F ? own : Wide{};
                raise_lanes<Wide, WholeWide>(raised);
                own = own > 0.0F ? own : raised - 1.0F;
                if (drops) {
                    own *= scale;
                    mask_lanes(own, kept + c);
                }
                store(own, row + c);
            }
        }
        for (; c < columns; ++c) {
            const Value own = row[c] + layer.bias[c];
            const Value made = own > 0 ? own : exponential(own < 0 ? own : Value{0}) - 1;
            row[c] = !drops ? made : (kept[c] != 0 ? made * scale : Value{0});
        }
    }
}

template <class Value>
void activate_backward(const UnitLayer<Value>& layer, const Value* made, Value* gradient,
                       std::int64_t begin, std::int64_t end) {
    const bool drops = layer.rate > 0;
    const auto share = static_cast<Value>(1.0 - layer.rate);
    std::int64_t at = begin * layer.columns;
    const std::int64_t last = end * layer.columns;
    if constexpr (std::is_same_v<Value, float>) {
        for (; at + kWide <= last; at += kWide) {
            Wide value, own;
            load(value, made + at);
            load(own, gradient + at);
            value *= share;  // ELU, without the scale of dropout
            const Wide slope = value > 0.0F ? Wide{} + 1.0F : value + 1.0F;
            own *= slope / share;
            if (drops) mask_lanes(own, layer.kept + at);
            store(own, gradient + at);
        }
    }
    for (; at < last; ++at) {
        const Value value = made[at] * share;
        const Value slope = value > 0 ? Value{1} : value + 1;
        const bool out = drops && layer.kept[at] == 0;
        gradient[at] = out ? Value{0} : gradient[at] * (slope / share);
    }
}

template <class Value>
constexpr DenseKernels<Value> kDenseKernels = {multiply<Value>, add_transposed<Value>,
                                               activate<Value>, activate_backward<Value>};

}  // namespace
}  // namespace dsir::simd
