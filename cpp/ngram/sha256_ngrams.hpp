#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "digest/sha256.hpp"
#include "ngram/feature_spec.hpp"
#include "ngram/sha256_memory.hpp"
#include "simd/fast_ngrams.hpp"
#include "text/token_buffer.hpp"

namespace dsir::ngram {

/// Buckets of the n-grams of one document with hash="sha256": the reference's, which hashes the
/// tokens joined by one space.
///
/// Most n-grams of a text have been seen shortly before, so they are numbered and their buckets
/// remembered: a token is looked up by its bytes, an n-gram by the number of the n-gram that it
/// begins with and the number of its last token. No hash stands for a string anywhere: the answer
/// is SHA-256's whatever the tables hold. Tokens too long for a slot have no number, nor have
/// n-grams with such a token; they are hashed each time.
///
/// Memory: up to 80 MB for the tables, which start small.
class Sha256Ngrams {
  public:
    explicit Sha256Ngrams(const FeatureSpec& spec)
        : token_hashes_(simd::token_hashes_kernel(simd::active_level())),
          n_(spec.n),
          bucket_of_(spec.buckets),
          lent_(spec.buckets),
          memory_(*lent_) {}
    /// With this memory, which is of spec.buckets.
    Sha256Ngrams(const FeatureSpec& spec, std::unique_ptr<Sha256Memory> memory)
        : token_hashes_(simd::token_hashes_kernel(simd::active_level())),
          n_(spec.n),
          bucket_of_(spec.buckets),
          lent_(spec.buckets, std::move(memory)),
          memory_(*lent_) {}

    void start_document() {
        before_.clear();
        last_numbers_ = {};
    }

    /// The buckets of the n-grams that end at a token of this stretch, valid until the next call.
    std::span<const std::uint32_t> take(const text::TokenBuffer& tokens);

  private:
    using PairPlace = PlacedSlots<PairSlot>::Place;

    /// An n-gram that waits for another to be hashed along with.
    struct Waiting {
        digest::Sha256Block message;
        std::uint32_t* bucket;  ///< where its bucket goes
        PairPlace* place;       ///< where it is remembered, if it is
        PairSlot entry;
    };

    void number_tokens(const text::TokenBuffer& tokens, std::uint32_t* buckets);
    void number_longer(const text::TokenBuffer& tokens, unsigned order, std::size_t first,
                       std::uint32_t* buckets);
    void hash_ngram(const text::TokenBuffer& tokens, unsigned order, std::size_t last,
                    std::uint32_t* bucket, PairPlace* place, const PairSlot& entry);
    void hash_waiting(const Waiting& a, const Waiting& b);
    void keep_last_tokens(const text::TokenBuffer& tokens);
    std::string_view token_at(const text::TokenBuffer& tokens, std::ptrdiff_t k) const;

    simd::TokenHashes token_hashes_;
    unsigned n_;
    digest::Sha256Buckets bucket_of_;
    LentSha256Memory lent_;
    Sha256Memory& memory_;

    // Of the stretch, by token.
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint32_t> token_numbers_;
    std::vector<std::uint32_t> ngram_numbers_;  ///< of the n-grams of the order in hand
    std::vector<std::uint32_t> found_;

    // Of the document before the stretch: its last tokens, n - 1 of them at most, and the numbers
    // of the n-grams that end at the very last, by order.
    std::deque<std::string> before_;  ///< with some bytes behind each
    std::array<std::uint32_t, kMaxOrder> last_numbers_{};

    Waiting waiting_[2];
    std::size_t waiting_count_ = 0;
};

}  // namespace dsir::ngram
