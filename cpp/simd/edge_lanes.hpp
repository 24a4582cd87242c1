#pragma once

#include <cstring>
#include <limits>
#include <type_traits>

#include "simd/unit_lanes.hpp"

// What the kernels over edges do to the heads of one edge. The unnamed namespace gives every width
// code of its own.
namespace dsir::simd {
namespace {

constexpr double kLeakySlope = 0.2;
template <std::int64_t N>
using Fixed = std::integral_constant<std::int64_t, N>;

/// Calls body(heads, width). Common shapes are passed as constants, so that the loops unroll.
template <class Body>
void with_shape(std::int64_t heads, std::int64_t width, Body&& body) {
    if (heads == 4 && width == 8) return body(Fixed<4>{}, Fixed<8>{});
    if (heads == 4 && width == 2) return body(Fixed<4>{}, Fixed<2>{});
    if (heads == 4 && width == 3) return body(Fixed<4>{}, Fixed<3>{});
    return body(heads, width);
}

/// Values of a node: on the stack if their number is a constant, otherwise in `room`, which the
/// caller provides. A std::vector would not do: its code would be compiled with this file's flags,
/// and the linker could give that code to all callers.
template <class Value, class Size>
struct Scratch {
    explicit Scratch(Value*) {}
    Value values[Size::value] = {};
    Value* data() { return values; }
};
template <class Value>
struct Scratch<Value, std::int64_t> {
    explicit Scratch(Value* room) : values(room) {}
    Value* values;
    Value* data() { return values; }
};

template <class Heads, class Width>
auto columns_of(Heads heads, Width width) {
    if constexpr (std::is_same_v<Heads, std::int64_t> || std::is_same_v<Width, std::int64_t>) {
        return static_cast<std::int64_t>(heads) * static_cast<std::int64_t>(width);
    } else {
        return Fixed<Heads::value * Width::value>{};
    }
}

/// out[h] = Σ_c left[h, c] right[h, c], in the order of gais::dot.
template <class Value, class Heads, class Width>
inline void head_products(const Value* left, const Value* right, Heads heads, Width width,
                          Value* out) {
    if constexpr (std::is_same_v<Value, float> && std::is_same_v<Heads, Fixed<4>> &&
                  std::is_same_v<Width, Fixed<8>>) {
        Four folded[4];
        for (int h = 0; h < 4; ++h) {
            Four a[2], b[2];
            std::memcpy(a, left + 8 * h, sizeof a);
            std::memcpy(b, right + 8 * h, sizeof b);
            folded[h] = a[0] * b[0] + a[1] * b[1];
        }
        const auto pairs = [](const Four& x, const Four& y, Four& sums) {
            sums = __builtin_shufflevector(x, y, 0, 2, 4, 6) +
                   __builtin_shufflevector(x, y, 1, 3, 5, 7);
        };
        Four low, high, sums;
        pairs(folded[0], folded[1], low);
        pairs(folded[2], folded[3], high);
        pairs(low, high, sums);
        std::memcpy(out, &sums, sizeof sums);
        return;
    }
    if constexpr (std::is_same_v<Value, float> && std::is_same_v<Heads, Fixed<4>> &&
                  std::is_same_v<Width, Fixed<2>>) {
        Four a[2], b[2];
        std::memcpy(a, left, sizeof a);
        std::memcpy(b, right, sizeof b);
        const Four low = a[0] * b[0];
        const Four high = a[1] * b[1];
        // The sum begins with 0, which turns -0 into 0.
        store((Four{} + __builtin_shufflevector(low, high, 0, 2, 4, 6)) +
                  __builtin_shufflevector(low, high, 1, 3, 5, 7),
              out);
        return;
    }
    for (std::int64_t h = 0; h < heads; ++h) {
        const Value* const a = left + h * width;
        const Value* const b = right + h * width;
        if (width < 8) {
            Value sum = 0;
            for (std::int64_t c = 0; c < width; ++c) sum += a[c] * b[c];
            out[h] = sum;
            continue;
        }
        Value lanes[8] = {};
        std::int64_t k = 0;
        for (; k + 8 <= width; k += 8) {
            for (int lane = 0; lane < 8; ++lane) lanes[lane] += a[k + lane] * b[k + lane];
        }
        for (int lane = 0; k < width; ++k, ++lane) lanes[lane] += a[k] * b[k];
        out[h] = ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
                 ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
    }
}

/// sums[h] += left[h] right[h].
template <class Value, class Heads>
inline void add_products(const Value* left, const Value* right, Heads heads, Value* sums) {
    if constexpr (std::is_same_v<Value, float> && std::is_same_v<Heads, Fixed<4>>) {
        Four a, b, sum;
        load(a, left);
        load(b, right);
        load(sum, sums);
        store(sum + a * b, sums);
        return;
    }
    for (std::int64_t h = 0; h < heads; ++h) sums[h] += left[h] * right[h];
}

/// Sums over edges of scale[h] * from[h, c]: [heads, width].
template <class Value, class Heads, class Width>
class HeadSums {
  public:
    HeadSums(Heads heads, Width width, Value* room) : heads_(heads), width_(width), sums_(room) {}
    void clear() {
        for (std::int64_t c = 0; c < heads_ * width_; ++c) sums_.data()[c] = 0;
    }
    void add(const Value* scale, const Value* from) {
        Value* const to = sums_.data();
        for (std::int64_t h = 0; h < heads_; ++h) {
            const Value own = scale[h];
            for (std::int64_t c = h * width_; c < (h + 1) * width_; ++c) to[c] += own * from[c];
        }
    }
    void copy(Value* to) {
        for (std::int64_t c = 0; c < heads_ * width_; ++c) to[c] = sums_.data()[c];
    }

  private:
    const Heads heads_;
    const Width width_;
    Scratch<Value, decltype(columns_of(Heads{}, Width{}))> sums_;
};

#if defined(__aarch64__)
template <>
class HeadSums<float, Fixed<4>, Fixed<8>> {
  public:
    HeadSums(Fixed<4>, Fixed<8>, float*) {}
    void clear() {
        for (Four& four : sums_) four = Four{};
    }
    void add(const float* scale, const float* from) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; ++i) {
            Four lanes;
            load(lanes, from + 4 * i);
            sums_[i] += scale[i / 2] * lanes;
        }
    }
    void copy(float* to) const {
        for (int i = 0; i < 8; ++i) store(sums_[i], to + 4 * i);
    }

  private:
    Four sums_[8]{};
};
#else
template <>
class HeadSums<float, Fixed<4>, Fixed<8>> {
  public:
    HeadSums(Fixed<4>, Fixed<8>, float*) {}
    void clear() { a_ = b_ = c_ = d_ = Eight{}; }
    void add(const float* scale, const float* from) {
        // One after the other: gcc copies an array of vectors to the stack first.
        Eight a, b, c, d;
        load(a, from);
        load(b, from + 8);
        load(c, from + 16);
        load(d, from + 24);
        a_ += scale[0] * a;
        b_ += scale[1] * b;
        c_ += scale[2] * c;
        d_ += scale[3] * d;
    }
    void copy(float* to) const {
        store(a_, to);
        store(b_, to + 8);
        store(c_, to + 16);
        store(d_, to + 24);
    }

  private:
    Eight a_{}, b_{}, c_{}, d_{};
};
#endif

template <>
class HeadSums<float, Fixed<4>, Fixed<2>> {
  public:
    HeadSums(Fixed<4>, Fixed<2>, float*) {}
    void clear() { low_ = high_ = Four{}; }
    void add(const float* scale, const float* from) {
        Four heads, low, high;
        load(heads, scale);
        load(low, from);
        load(high, from + 4);
        low_ += __builtin_shufflevector(heads, heads, 0, 0, 1, 1) * low;
        high_ += __builtin_shufflevector(heads, heads, 2, 2, 3, 3) * high;
    }
    void copy(float* to) const {
        store(low_, to);
        store(high_, to + 4);
    }

  private:
    Four low_{}, high_{};
};

/// Writes the logits of an edge's heads, and raises the peaks to them. A logit is the leaky ReLU of
/// target + source; of an edge that is left out it is -infinity.
template <class Value, class Heads>
inline void make_logits(const Value* target, const Value* source, bool is_out, Heads heads,
                        Value* logits, Value* peak) {
    const auto slope = static_cast<Value>(kLeakySlope);
    constexpr Value kOut = -std::numeric_limits<Value>::infinity();
    if constexpr (std::is_same_v<Value, float> && std::is_same_v<Heads, Fixed<4>>) {
        Four a, b, most;
        load(a, target);
        load(b, source);
        load(most, peak);
        const Four sum = a + b;
        const Four logit = sum > 0.0F ? sum : slope * sum;
        const Whole4 out = Whole4{} - (is_out ? 1 : 0);
        const Four kept = out != 0 ? Four{} + kOut : logit;
        store(kept, logits);
        store(kept > most ? kept : most, peak);
        return;
    }
    for (std::int64_t h = 0; h < heads; ++h) {
        const Value sum = target[h] + source[h];
        const Value logit = is_out ? kOut : (sum > 0 ? sum : slope * sum);
        logits[h] = logit;
        peak[h] = logit > peak[h] ? logit : peak[h];
    }
}

/// Turns the gradient of an edge's attention into that of the sum under the leaky ReLU, in place,
/// and adds the result to `sum`.
template <class Value, class Heads>
inline void through_softmax(const Value* attention, const Value* target, const Value* source,
                            const Value* mean, Heads heads, Value* logit, Value* sum) {
    const auto slope = static_cast<Value>(kLeakySlope);
    if constexpr (std::is_same_v<Value, float> && std::is_same_v<Heads, Fixed<4>>) {
        Four share, a, b, middle, gradient, total;
        load(share, attention);
        load(a, target);
        load(b, source);
        load(middle, mean);
        load(gradient, logit);
        load(total, sum);
        const Four inner = share * (gradient - middle);
        const Four value = a + b > 0.0F ? inner : slope * inner;
        store(value, logit);
        store(total + value, sum);
        return;
    }
    for (std::int64_t h = 0; h < heads; ++h) {
        const Value inner = attention[h] * (logit[h] - mean[h]);
        const Value value = target[h] + source[h] > 0 ? inner : slope * inner;
        logit[h] = value;
        sum[h] += value;
    }
}

}  // namespace
}  // namespace dsir::simd
