#pragma once

#include <bit>
#include <cstdint>

namespace dsir::numeric {

/// The natural logarithm of a positive, finite, normal number, within 1 ulp.
///
/// The C library's logarithm differs in the last bit between versions, processors and vector
/// widths. This function uses only additions, multiplications and divisions, always in the same
/// order, so it gives the same bits on every IEEE 754 machine (the build forbids fused
/// multiply-add).
///
/// log(2^k m) = k log 2 + log m with m in [sqrt(1/2), sqrt(2)). With f = m - 1 and s = f / (2 + f),
/// log m = 2 atanh(s) = 2s + 2/3 s^3 + 2/5 s^5 + ..., where s^2 < 0.0295.
inline double portable_log(double x) {
    auto bits = std::bit_cast<std::uint64_t>(x);
    auto k = static_cast<std::int64_t>(bits >> 52) - 1023;
    bits = (bits & 0x000FFFFFFFFFFFFFULL) | 0x3FF0000000000000ULL;
    double m = std::bit_cast<double>(bits);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        k += 1;
    }
    const double f = m - 1.0;
    const double s = f / (2.0 + f);
    const double z = s * s;
    double series = 2.0 / 23.0;
    series = series * z + 2.0 / 21.0;
    series = series * z + 2.0 / 19.0;
    series = series * z + 2.0 / 17.0;
    series = series * z + 2.0 / 15.0;
    series = series * z + 2.0 / 13.0;
    series = series * z + 2.0 / 11.0;
    series = series * z + 2.0 / 9.0;
    series = series * z + 2.0 / 7.0;
    series = series * z + 2.0 / 5.0;
    series = series * z + 2.0 / 3.0;
    series = series * z;
    // 2s = f - s f. Writing s f as f^2/2 - s f^2/2 keeps the small terms apart from f.
    const double half_square = 0.5 * f * f;
    const double exponent = static_cast<double>(k);
    constexpr double kLog2High = 6.93147180369123816490e-01;  // its last 32 bits are zero
    constexpr double kLog2Low = 1.90821492927058770002e-10;
    return exponent * kLog2High +
           (f - (half_square - (s * (half_square + series) + exponent * kLog2Low)));
}

}  // namespace dsir::numeric
