#include <algorithm>
#include <cmath>
#include <limits>

#include "check.hpp"
#include "numeric/portable_exp.hpp"
#include "numeric/portable_log.hpp"

namespace {

using dsir::numeric::portable_exp;
using dsir::numeric::portable_log;
using dsir::test::Random;

/// The distance from the true logarithm (in long double), in units in the last place of the result.
double error_in_ulp(double x) {
    const long double truth = std::log(static_cast<long double>(x));
    const double found = portable_log(x);
    const double near = std::abs(static_cast<double>(truth));
    const double ulp = std::nextafter(near, std::numeric_limits<double>::infinity()) - near;
    return static_cast<double>(std::abs(static_cast<long double>(found) - truth) / ulp);
}

TEST(portable_log_is_within_an_ulp) {
    Random random(4);
    double worst = 0;
    for (int i = 0; i < 300000; ++i) {
        worst = std::max(worst, error_in_ulp(random.uniform() + 0x1p-54));
        worst = std::max(worst, error_in_ulp(1e-8 + random.uniform() * 1e-3));
        worst = std::max(worst, error_in_ulp(0.5 + 1.5 * random.uniform()));
        worst =
            std::max(worst, error_in_ulp(std::ldexp(1 + random.uniform(),
                                                    static_cast<int>(random.below(2000)) - 1000)));
    }
    for (int k = 1; k <= 53; ++k) {
        worst = std::max(worst, error_in_ulp(1 - std::ldexp(1.0, -k)));
        worst = std::max(worst, error_in_ulp(1 + std::ldexp(1.0, 1 - k)));
    }
    std::cout << "       largest error: " << worst << " ulp\n";
    CHECK(worst < 1.0);
}

TEST(portable_log_of_known_values) {
    CHECK_EQUAL(portable_log(1.0), 0.0);
    CHECK_EQUAL(portable_log(2.0), 0x1.62e42fefa39efp-1);
    CHECK_EQUAL(portable_log(0.5), -0x1.62e42fefa39efp-1);
    CHECK_EQUAL(portable_log(10.0), 0x1.26bb1bbb55516p+1);
    CHECK_EQUAL(portable_log(1e-8), -0x1.26bb1bbb55516p+4);
    CHECK(std::isfinite(portable_log(std::numeric_limits<double>::min())));
    CHECK(std::isfinite(portable_log(std::numeric_limits<double>::max())));
}

TEST(portable_exp_is_within_two_ulp) {
    Random random(5);
    double worst = 0;
    for (int i = 0; i < 300000; ++i) {
        for (const double scale : {0.7, 40.0, 700.0}) {
            const double x = scale * (2 * random.uniform() - 1);
            const long double truth = std::exp(static_cast<long double>(x));
            const double near = static_cast<double>(truth);
            const double ulp = std::nextafter(near, std::numeric_limits<double>::infinity()) - near;
            const long double error = std::abs(static_cast<long double>(portable_exp(x)) - truth);
            worst = std::max(worst, static_cast<double>(error / ulp));
        }
    }
    std::cout << "       largest error: " << worst << " ulp\n";
    CHECK(worst < 2.0);
}

TEST(portable_exp_of_known_values) {
    CHECK_EQUAL(portable_exp(0.0), 1.0);
    CHECK_EQUAL(portable_exp(-0.0), 1.0);
    // Pinned, because the bits of mixture weights depend on these. The first value is one ulp off.
    CHECK_EQUAL(portable_exp(1.0), 0x1.5bf0a8b14576ap+1);
    CHECK_EQUAL(portable_exp(-20.0), 0x1.1b48655f37267p-29);
    CHECK_EQUAL(portable_exp(-1e9), 0.0);
    CHECK_EQUAL(portable_exp(-std::numeric_limits<double>::infinity()), 0.0);
    CHECK(portable_exp(-708.0) > 0);
    CHECK(std::isfinite(portable_exp(709.0)));
}

}  // namespace
