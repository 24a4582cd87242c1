#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "language_model/token_numbers.hpp"

/// Models that say how likely a text is after what they were trained on.
namespace dsir::language_model {

/// Documents as numbers of tokens, in memory that somebody else owns.
struct Documents {
    std::span<const std::int64_t> offsets;  ///< [documents + 1], ascending
    std::span<const std::uint32_t> tokens;  ///< below kTokens

    std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
    std::span<const std::uint32_t> operator[](std::int64_t document) const {
        const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(document)]);
        const auto end = static_cast<std::size_t>(offsets[static_cast<std::size_t>(document) + 1]);
        return tokens.subspan(begin, end - begin);
    }
};

constexpr std::uint32_t kTokens = std::uint32_t{1} << 28;  ///< tokens are below

/// An interpolated Kneser-Ney model of trigrams (Kneser & Ney 1995, "Improved backing-off for
/// m-gram language modeling"; interpolated as in Chen & Goodman 1998, "An empirical study of
/// smoothing techniques for language modeling", section 4.1.6).
///
/// With c the counts of trigrams, and for the orders below the number of different tokens before
/// (continuation counts), each order has one discount D = n1 / (n1 + 2 n2), where n1 and n2 are how
/// many n-grams have the counts 1 and 2 (D = 1/2 where one of these is 0):
///
///     P(z | x y) = (max(c(x y z) - D, 0) + D · types(x y) · P(z | y)) / c(x y)
///
/// where types(x y) is how many different tokens follow; a context that was not seen has the
/// probabilities of the shorter one. The lowest order is interpolated with equal shares of the
/// vocabulary. Two marks of a beginning stand before every document; its end is no token.
///
/// Counts are whole numbers, so the model does not depend on `threads`. Memory: 12 bytes a token
/// while the model is made, and at most 20 bytes a token afterwards.
class KneserNey {
  public:
    /// Trains on documents of fewer than 2^32 tokens in all. `vocabulary` is how many tokens the
    /// lowest order shares out to, and is positive.
    KneserNey(const Documents& documents, double vocabulary, unsigned threads);

    /// Sets sums[documents] to the natural logarithm of each document's probability. The result
    /// does not depend on `threads`, or on the machine.
    void log_probabilities(const Documents& documents, unsigned threads, double* sums) const;

    /// How many stretches of three tokens the training documents have, without marks.
    std::int64_t trigrams() const { return trigrams_; }

    /// How many of these are different.
    std::int64_t distinct_trigrams() const { return distinct_trigrams_; }

  private:
    // n-grams by their first token: those of token t are keys[offsets[t]] to keys[offsets[t + 1]],
    // ascending and different. `before` has the sum of the counts before each.
    template <class Key>
    struct Table {
        std::vector<std::uint32_t> offsets;
        std::vector<Key> keys;
        std::vector<std::uint32_t> before;
        double discount = 0;

        /// Sorts the keys of every token, and merges equal ones to one with its count.
        void count(unsigned threads);
    };

    // What follows a context, and its count and number of different tokens.
    struct Context {
        double found = 0;
        double total = 0;
        double types = 0;
    };

    void count_trigrams(const Documents& documents, unsigned threads);
    void count_bigrams(unsigned threads);
    void count_tokens();
    double probability(std::uint32_t first, std::uint32_t second, std::uint32_t third) const;
    Context after_pair(std::uint32_t first, std::uint32_t second, std::uint32_t third) const;
    Context after_token(std::uint32_t second, std::uint32_t third) const;

    TokenNumbers numbers_;
    double vocabulary_;
    Table<std::uint64_t> trigrams_of_;  // by the first token: second << 32 | third
    Table<std::uint32_t> bigrams_of_;   // by the second token: the third; continuation counts
    std::vector<std::uint32_t> token_counts_;  // continuation counts
    double token_types_ = 0;
    double token_discount_ = 0;
    std::int64_t trigrams_ = 0;
    std::int64_t distinct_trigrams_ = 0;
};

}  // namespace dsir::language_model
