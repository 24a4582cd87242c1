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

/// The buckets of one document's n-grams with hash="sha256", as the reference computes them: it
/// hashes the tokens joined by single spaces.
///
/// Most n-grams of a text occurred shortly before. Therefore they get numbers, and their buckets
/// are remembered. A token is looked up by its bytes; an n-gram is looked up by two numbers, that
/// of the n-gram without the last token and that of the last token. No hash ever stands for a
/// string, so the buckets are SHA-256's whatever the tables hold. A token that is too long for a
/// slot has no number, and neither has an n-gram with such a token; these are hashed each time.
///
/// Memory: the tables start small and grow to at most 80 MB.
class Sha256Ngrams {
  public:
    explicit Sha256Ngrams(const FeatureSpec& spec)
        : token_hashes_(simd::token_hashes_kernel(simd::active_level())),
          n_(spec.n),
          bucket_of_(spec.buckets),
          lent_(spec.buckets),
          memory_(*lent_) {}
    /// Uses the given memory, which must be for spec.buckets buckets.
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

    /// Returns the buckets of the n-grams that end at a token of this stretch, valid until the next
    /// call.
    std::span<const std::uint32_t> take(const text::TokenBuffer& tokens);

  private:
    using PairPlace = PlacedSlots<PairSlot>::Place;

    /// An n-gram that waits for a second one, because two are hashed together.
    struct Waiting {
        digest::Sha256Block message;
        std::uint32_t* bucket;  ///< where its bucket goes
        PairPlace* place;       ///< where it is remembered; null if it is not
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

    // Of the stretch, one entry per token.
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint32_t> token_numbers_;
    std::vector<std::uint32_t> ngram_numbers_;  ///< of the n-grams of the current order
    std::vector<std::uint32_t> found_;

    // Of the document before the stretch: its last tokens, at most n - 1, and by order the numbers
    // of the n-grams that end at the very last token.
    std::deque<std::string> before_;  ///< each with kBehind more bytes
    std::array<std::uint32_t, kMaxOrder> last_numbers_{};

    Waiting waiting_[2];
    std::size_t waiting_count_ = 0;
};

}  // namespace dsir::ngram
