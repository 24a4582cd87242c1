#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ngram/feature_spec.hpp"

namespace dsir::ngram {

/// The hash of a token that stands for a byte: the character of that number, in UTF-8.
std::uint64_t hash_of_byte(unsigned byte);

/// The buckets of one document's n-grams with hash="fast", where every token is one byte: what
/// FastNgrams finds, in a table of 256 tokens, and later in one of all pairs.
class ByteNgrams {
  public:
    explicit ByteNgrams(const FeatureSpec& spec);

    void start_document() { before_ = 0; }

    /// Returns the buckets of the n-grams that end at one of the bytes, valid until the next call.
    std::span<const std::uint32_t> take(std::span<const std::uint8_t> bytes);

  private:
    void make_pairs();
    std::uint32_t* take_pairs(std::span<const std::uint8_t> bytes, std::uint32_t* out);
    std::uint32_t* take_orders(std::span<const std::uint8_t> bytes, std::uint32_t* out);

    unsigned n_;
    std::uint32_t buckets_;
    std::array<std::uint64_t, 256> hashes_;    ///< of each byte as a token
    std::array<std::uint32_t, 256> unigrams_;  ///< the bucket of each
    std::vector<std::uint32_t> pairs_;         ///< [first * 256 + second], once it is made
    std::size_t seen_ = 0;                     ///< bytes, of all documents
    unsigned before_ = 0;                      ///< bytes of the document so far, counted up to n
    std::uint8_t last_ = 0;                    ///< the last of them, if n is 2
    std::array<std::uint64_t, kMaxOrder> ending_{};  ///< [i]: hash of the last (i + 1)-gram
    std::vector<std::uint32_t> found_;
};

}  // namespace dsir::ngram
