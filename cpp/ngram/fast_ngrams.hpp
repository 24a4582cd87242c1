#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ngram/feature_spec.hpp"
#include "simd/fast_ngrams.hpp"
#include "text/token_buffer.hpp"

namespace dsir::ngram {

/// The buckets of one document's n-grams with hash="fast". An n-gram's hash is combined from the
/// hashes of its tokens, so no string is built.
class FastNgrams {
  public:
    explicit FastNgrams(const FeatureSpec& spec)
        : kernel_(simd::fast_ngrams_kernel(simd::active_level())),
          n_(spec.n),
          buckets_(spec.buckets) {}

    void start_document() { before_ = {}; }

    /// Returns the buckets of the n-grams that end at a token of this stretch, valid until the next
    /// call. Writes the hashes of the tokens to `hashes`, unless it is null.
    std::span<const std::uint32_t> take(const text::TokenBuffer& tokens,
                                        std::uint64_t* hashes = nullptr) {
        const std::size_t room = n_ * tokens.size() + simd::kBucketSlack;
        if (found_.size() < room) found_.resize(room);
        const simd::TokenView view = {tokens.bytes.get(), tokens.starts.get(), tokens.ends.get(),
                                      tokens.size()};
        return {found_.data(), kernel_(view, n_, buckets_, before_, found_.data(), hashes)};
    }

  private:
    static_assert(kMaxOrder <= simd::kFastNgramsLargestOrder);

    simd::FastNgrams kernel_;
    unsigned n_;
    std::uint32_t buckets_;
    simd::FastNgramsBefore before_{};
    std::vector<std::uint32_t> found_;
};

}  // namespace dsir::ngram
