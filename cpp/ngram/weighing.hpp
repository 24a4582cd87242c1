#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dsir::ngram {

/// How a document's sums of log ratios, one a target, become its log-weights.
///
/// Of each sum first the length policy: sum / ngrams^alpha, or, where there are Poisson terms, the
/// sum plus the log ratio of the likelihoods of the document's number of tokens. Then, where there
/// are shares, all of them become one: the log-weight under the mixture of the targets.
struct Weighing {
    /// log [Poisson(tokens; a) / Poisson(tokens; b)] = tokens * per_token + constant.
    struct Poisson {
        double per_token;  ///< log a - log b
        double constant;   ///< b - a
    };

    std::size_t targets = 1;
    double alpha = 0.0;            ///< 0 is the sum, 1 the mean
    std::vector<Poisson> poisson;  ///< one a target, or none
    std::vector<double> shares;    ///< of the mixture, one a target, some above 0; or none

    /// How many log-weights a document has.
    std::size_t columns() const { return shares.empty() ? targets : 1; }

    /// Turns sums[targets] of a document with so many tokens (at least 1) and n-grams into its
    /// log-weights, which take the place of the first columns() sums.
    void apply(std::uint64_t tokens, std::uint64_t ngrams, double* sums) const;
};

/// The Poisson terms for means of a and b tokens a document, both above 0.
Weighing::Poisson poisson_terms(double a, double b);

}  // namespace dsir::ngram
