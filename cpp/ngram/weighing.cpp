#include "ngram/weighing.hpp"

#include "numeric/portable_exp.hpp"
#include "numeric/portable_log.hpp"

namespace dsir::ngram {
namespace {

using numeric::portable_exp;
using numeric::portable_log;

/// The log of the sum over the targets of share * e^log_weight, computed relative to the greatest
/// term.
double log_of_mixture(const std::vector<double>& shares, const double* log_weights) {
    double greatest = 0;
    bool found = false;
    for (std::size_t t = 0; t < shares.size(); ++t) {
        if (shares[t] <= 0) continue;
        const double term = portable_log(shares[t]) + log_weights[t];
        if (!found || term > greatest) greatest = term;
        found = true;
    }
    double sum = 0;
    for (std::size_t t = 0; t < shares.size(); ++t) {
        if (shares[t] <= 0) continue;
        sum += portable_exp(portable_log(shares[t]) + log_weights[t] - greatest);
    }
    return greatest + portable_log(sum);
}

}  // namespace

void Weighing::apply(std::uint64_t tokens, std::uint64_t ngrams, double* sums) const {
    if (!poisson.empty()) {
        for (std::size_t t = 0; t < targets; ++t) {
            sums[t] += static_cast<double>(tokens) * poisson[t].per_token + poisson[t].constant;
        }
    } else if (alpha != 0) {
        // alpha = 1 gives the exact mean, and not a division by a power that is nearly the count.
        const auto count = static_cast<double>(ngrams);
        const double divisor = alpha == 1 ? count : portable_exp(alpha * portable_log(count));
        for (std::size_t t = 0; t < targets; ++t) sums[t] /= divisor;
    }
    if (!shares.empty()) sums[0] = log_of_mixture(shares, sums);
}

Weighing::Poisson poisson_terms(double a, double b) {
    return {portable_log(a) - portable_log(b), b - a};
}

}  // namespace dsir::ngram
