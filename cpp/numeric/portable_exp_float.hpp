#pragma once

#include <bit>
#include <cstdint>

namespace dsir::numeric {

/// e^x in single precision for x up to 88, within 4 ulp; 0 for x below -87.
///
/// The function uses basic operations in one order, as portable_exp does. A loop over it can
/// therefore be vectorized and still gives the same bits on every machine.
inline float portable_exp_float(float x) {
    const float kept = x < -87.0F ? -87.0F : (x > 88.0F ? 88.0F : x);
    const float shifted = kept * 1.44269504F + (kept < 0 ? -0.5F : 0.5F);
    const auto k = static_cast<std::int32_t>(
        shifted);  // towards zero, which gives the integer nearest to kept / log 2
    const auto whole = static_cast<float>(k);
    const float r = (kept - whole * 0.693359375F) - whole * -2.12194440e-4F;
    float series = 1.0F / 5040.0F;
    series = series * r + 1.0F / 720.0F;
    series = series * r + 1.0F / 120.0F;
    series = series * r + 1.0F / 24.0F;
    series = series * r + 1.0F / 6.0F;
    series = series * r + 0.5F;
    series = series * r * r + r + 1.0F;
    const auto bits = static_cast<std::uint32_t>(k + 127) << 23;
    return x < -87.0F ? 0.0F : series * std::bit_cast<float>(bits);
}

}  // namespace dsir::numeric
