#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace dsir::numeric {

/// e^x for x up to 709, within 2 ulp. Below -708 the result would not be a normal number, so the
/// function returns 0.
///
/// The function uses basic operations in one order, for the reason that portable_log gives.
///
/// x = k log 2 + r with |r| <= log(2) / 2. The series of e^r is cut after thirteen terms, which
/// leaves an error of 2^-57.
inline double portable_exp(double x) {
    if (x < -708.0) return 0.0;
    constexpr double kLog2High = 6.93147180369123816490e-01;  // its last 32 bits are zero
    constexpr double kLog2Low = 1.90821492927058770002e-10;
    const double k = std::floor(x * 1.4426950408889634 + 0.5);
    const double r = (x - k * kLog2High) - k * kLog2Low;
    double series = 1.0 / 6227020800.0;
    series = series * r + 1.0 / 479001600.0;
    series = series * r + 1.0 / 39916800.0;
    series = series * r + 1.0 / 3628800.0;
    series = series * r + 1.0 / 362880.0;
    series = series * r + 1.0 / 40320.0;
    series = series * r + 1.0 / 5040.0;
    series = series * r + 1.0 / 720.0;
    series = series * r + 1.0 / 120.0;
    series = series * r + 1.0 / 24.0;
    series = series * r + 1.0 / 6.0;
    series = series * r + 0.5;
    series = series * r * r + r + 1.0;
    const auto exponent = static_cast<std::uint64_t>(static_cast<std::int64_t>(k) + 1023);
    return series * std::bit_cast<double>(exponent << 52);
}

}  // namespace dsir::numeric
