#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "hashing/fast_hash.hpp"
#include "ngram/feature_spec.hpp"
#include "text/token_buffer.hpp"

namespace dsir::ngram {

/// Buckets of the n-grams of one document with hash="fast": the hash of an n-gram is combined from
/// its tokens' hashes, so no string is built.
class FastNgrams {
  public:
    explicit FastNgrams(const FeatureSpec& spec) : n_(spec.n), buckets_(spec.buckets) {}

    void start_document() { filled_ = 0; }

    /// Calls sink(bucket) for every n-gram that ends at a token of this stretch.
    template <class Sink>
    void take(const text::TokenBuffer& tokens, Sink&& sink) {
        if (n_ == 1) return take_unigrams(tokens, sink);
        if (n_ == 2) return take_bigrams(tokens, sink);
        for (std::size_t k = 0; k < tokens.size(); ++k) {
            const std::uint64_t token = hash_of(tokens, k);
            if (filled_ < n_) ++filled_;
            // ending_[i] is the hash of the (i+1)-gram that ends at the token before.
            for (unsigned i = filled_; i-- > 1;) {
                ending_[i] = hashing::extend_hash(ending_[i - 1], token);
                sink(hashing::bucket_of(ending_[i], buckets_));
            }
            ending_[0] = token;
            sink(hashing::bucket_of(token, buckets_));
        }
    }

  private:
    static std::uint64_t hash_of(const text::TokenBuffer& tokens, std::size_t k) {
        return hashing::token_hash(tokens.bytes.get() + tokens.starts[k],
                                   tokens.ends[k] - tokens.starts[k]);
    }

    template <class Sink>
    void take_unigrams(const text::TokenBuffer& tokens, Sink& sink) {
        for (std::size_t k = 0; k < tokens.size(); ++k) {
            sink(hashing::bucket_of(hash_of(tokens, k), buckets_));
        }
    }

    template <class Sink>
    void take_bigrams(const text::TokenBuffer& tokens, Sink& sink) {
        std::size_t k = 0;
        if (filled_ == 0 && tokens.size() != 0) {
            ending_[0] = hash_of(tokens, k++);
            sink(hashing::bucket_of(ending_[0], buckets_));
            filled_ = 1;
        }
        std::uint64_t before = ending_[0];
        for (; k < tokens.size(); ++k) {
            const std::uint64_t token = hash_of(tokens, k);
            sink(hashing::bucket_of(token, buckets_));
            sink(hashing::bucket_of(hashing::extend_hash(before, token), buckets_));
            before = token;
        }
        ending_[0] = before;
    }

    unsigned n_;
    std::uint32_t buckets_;
    unsigned filled_ = 0;  ///< tokens seen of this document, n_ at most
    std::array<std::uint64_t, kMaxOrder> ending_{};
};

}  // namespace dsir::ngram
