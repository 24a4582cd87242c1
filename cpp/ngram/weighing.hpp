#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dsir::ngram {

/// How the sums of a document's log ratios, one per target, become its log-weights.
///
/// First each sum is adjusted for length: sum / ngrams^alpha, or with Poisson terms the sum plus
/// the log-likelihood ratio of the document's number of tokens. With shares, all sums then become
/// one log-weight, the one under the mixture of the targets.
struct Weighing {
    /// log [Poisson(tokens; a) / Poisson(tokens; b)] = tokens * per_token + constant.
    struct Poisson {
        double per_token;  ///< log a - log b
        double constant;   ///< b - a
    };

    std::size_t targets = 1;
    double alpha = 0.0;            ///< 0 keeps the sum, 1 takes the mean
    std::vector<Poisson> poisson;  ///< one per target, or none
    std::vector<double> shares;  ///< of the mixture: one per target, at least one above 0; or none

    /// The number of log-weights of a document.
    std::size_t columns() const { return shares.empty() ? targets : 1; }

    /// Turns sums[targets] of a document into its log-weights, which replace the first columns()
    /// sums. The document has `tokens` tokens (at least 1) and `ngrams` n-grams.
    void apply(std::uint64_t tokens, std::uint64_t ngrams, double* sums) const;
};

/// The Poisson terms for means of a and b tokens per document. Both means must be above 0.
Weighing::Poisson poisson_terms(double a, double b);

}  // namespace dsir::ngram
