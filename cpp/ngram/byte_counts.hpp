#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ngram/bucket_stream.hpp"
#include "ngram/feature_spec.hpp"
#include "text/token_buffer.hpp"

namespace dsir::ngram {

/// Counts the n-grams of documents whose tokens are bytes. It counts how often each pair of bytes
/// occurs, and makes buckets of the pairs in the end: one count a token, where a stream of buckets
/// has two and looks both up. Not thread-safe.
class ByteCounts {
  public:
    /// Whether the tokens of some documents are bytes, and their n-grams pairs.
    static bool fit(const FeatureSpec& spec);

    /// With fewer tokens than this in the tables, no entry overflows in the next document, whose
    /// lower case may be half as long again.
    static constexpr std::uint64_t kMostTokens = std::uint64_t{1} << 30;

    /// Takes a spec that fits. From `most_tokens` tokens on, the tables are emptied before the next
    /// document; at most kMostTokens.
    explicit ByteCounts(const FeatureSpec& spec, std::uint64_t most_tokens = kMostTokens);

    /// Whether the tokens of the document, of at most text::kLargestDocument bytes, are bytes.
    bool takes(std::string_view document) const;

    /// Counts a document that takes() is true of, with the outcome of BucketStream::run. A document
    /// that is not UTF-8 adds nothing. May add earlier documents to `counts`, which has an entry
    /// for each bucket.
    BucketStream::Outcome add(std::string_view document, std::span<std::int64_t> counts);

    /// Adds what is not added yet to `counts`.
    void finish(std::span<std::int64_t> counts);

  private:
    void count_pairs(std::span<const std::uint8_t> bytes);

    text::Cutting cutting_;
    std::uint32_t buckets_;
    std::uint64_t most_tokens_;
    text::TokenBuffer buffer_;
    /// How often bytes begin a document.
    std::array<std::uint64_t, 256> firsts_{};
    /// How often a pair occurs, at first + 256 * second, in either of two tables. A pair that comes
    /// again soon finds another entry, and does not wait until the last sum is stored.
    std::array<std::vector<std::uint32_t>, 2> pairs_;
    std::uint64_t since_finished_ = 0;  ///< tokens
};

}  // namespace dsir::ngram
