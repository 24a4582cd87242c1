#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ngram/bucket_stream.hpp"
#include "ngram/character_numbers.hpp"
#include "ngram/feature_spec.hpp"
#include "simd/pair_counts.hpp"

namespace dsir::ngram {

/// Counts the n-grams of documents whose tokens are characters, by the numbers of the characters.
/// It counts how often each pair of small numbers occurs, and makes buckets of the pairs in the
/// end, like ByteCounts. Other pairs become buckets at once; their hashes take the hashes of the
/// two characters from a table. Not thread-safe.
class CharacterCounts {
  public:
    /// Whether the tokens are characters, and their n-grams pairs.
    static bool fit(const FeatureSpec& spec);

    /// With fewer tokens than this in the tables, no entry overflows in the next document.
    static constexpr std::uint64_t kMostTokens = std::uint64_t{1} << 30;

    /// Takes a spec that fits. From `most_tokens` tokens on, the tables are emptied before the next
    /// document; at most kMostTokens.
    explicit CharacterCounts(const FeatureSpec& spec, std::uint64_t most_tokens = kMostTokens);

    /// Counts a document, with the outcome of BucketStream::run. A document that is not UTF-8 adds
    /// nothing. Returns nothing, and counts nothing, if the document is longer than 1 MiB or
    /// CharacterNumbers refuses it. May add earlier documents to `counts`, which has an entry for
    /// each bucket.
    std::optional<BucketStream::Outcome> add(std::string_view document,
                                             std::span<std::int64_t> counts);

    /// Adds what is not added yet to `counts`.
    void finish(std::span<std::int64_t> counts);

  private:
    using Number = CharacterNumbers::Number;

    void count(std::span<const Number> numbers, std::span<std::int64_t> counts);

    CharacterNumbers numbers_;
    simd::CountPairs count_pairs_;
    std::uint32_t buckets_;
    std::uint64_t most_tokens_;
    /// How often numbers occur, but for those that are the second of a pair in `pairs_`.
    std::vector<std::uint64_t> singles_;
    /// How often a pair occurs, at first + 256 * second, in either of two tables, as ByteCounts
    /// has them.
    std::array<std::vector<std::uint32_t>, 2> pairs_;
    std::uint64_t since_finished_ = 0;  ///< tokens
};

}  // namespace dsir::ngram
