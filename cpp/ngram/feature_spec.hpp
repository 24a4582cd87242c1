#pragma once

#include <cstdint>

#include "text/normalizer.hpp"
#include "text/tokenizers.hpp"

namespace dsir::ngram {

enum class HashKind : std::uint8_t { fast, sha256 };

/// A maker of features that the caller has compiled. Gets the hashes of all tokens of a document,
/// writes at most `room` buckets, each below `buckets`, and returns how many.
/// text::kKernelRaised says that the kernel failed.
using FeatureKernel = std::int64_t (*)(const std::uint64_t* tokens, std::int64_t size,
                                       std::uint32_t* out, std::int64_t room, std::int64_t buckets);

/// Which features a document has: the hashed n-grams of orders 1 to n, over the tokens of a
/// tokenizer.
struct FeatureSpec {
    unsigned n = 2;                 ///< 1 to kMaxOrder
    std::uint32_t buckets = 10000;  ///< 2 to kMaxBuckets
    HashKind hash = HashKind::fast;
    text::Cutting cutting = {};
    text::Form form = text::Form::as_is;  ///< of the documents that the tokenizer gets
    FeatureKernel kernel = nullptr;  ///< makes the features in place of n-grams, if there is one
    std::uint32_t kernel_most = 0;   ///< the most features that `kernel` makes of a token

    bool operator==(const FeatureSpec&) const = default;

    /// The most features that a document has for each of its tokens.
    std::uint32_t most_per_token() const { return kernel == nullptr ? n : kernel_most; }
};

inline constexpr unsigned kMaxOrder = 8;
inline constexpr std::uint32_t kMinBuckets = 2;
inline constexpr std::uint32_t kMaxBuckets = 1U << 24;

/// The number of n-grams of orders 1 to n in a document of so many tokens.
inline std::uint64_t ngram_count(std::uint64_t tokens, unsigned n) {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 1; i <= n && i <= tokens; ++i) sum += tokens - i + 1;
    return sum;
}

}  // namespace dsir::ngram
