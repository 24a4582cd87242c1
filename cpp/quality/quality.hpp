#pragma once

#include <cstdint>

#include "arrow/text_column.hpp"
#include "quality/stop_words.hpp"
#include "text/normalizer.hpp"
#include "text/row_status.hpp"
#include "text/tokenizers.hpp"

namespace dsir::quality {

/// n of the n-grams that `repeated` counts.
inline constexpr unsigned kRepeatedOrder = 5;

/// The arrays that measure() fills. The caller owns them; each has one entry per row. All numbers
/// are 0 for null and invalid rows. Tokens with the same 64-bit hash (hashing::token_hash) count as
/// the same token.
struct Measures {
    std::uint32_t* tokens;
    std::uint32_t* most_frequent;  ///< occurrences of the most frequent token
    std::uint32_t* informative;   ///< tokens with an alphanumeric character that are not stop words
    std::uint32_t* numbers;       ///< tokens of ASCII digits, with single . or , between digits
    std::uint32_t* characters;    ///< code points in the tokens
    std::uint32_t* alphanumeric;  ///< characters for which str.isalnum() is true
    /// Tokens inside an n-gram (n = kRepeatedOrder) that occurred before in the document. If the
    /// array is null, this is not measured.
    std::uint32_t* repeated;
    text::RowStatus* status;
};

/// Measures the tokens of every row, in the given form, in one pass. The result does not depend on
/// `threads` (at least 1).
void measure(const arrow::TextColumn& column, text::TokenizerKind tokenizer, text::Form form,
             const StopWords& stop_words, unsigned threads, const Measures& out);

}  // namespace dsir::quality
