#pragma once

#include <cstdint>
#include <vector>

#include "arrow/text_column.hpp"
#include "lexrank/vocabulary.hpp"

namespace dsir::lexrank {

/// The tokens of texts in order, as numbers. Tokens are those of text::WordPunct and are numbered
/// by their first occurrence.
struct TokenNumbers {
    Vocabulary tokens;
    std::vector<std::int64_t> offsets{0};  ///< text r has numbers[offsets[r]] to [offsets[r + 1])
    std::vector<std::int32_t> numbers;

    /// Adds one text per row. Null rows, rows that are not UTF-8 and rows of more than 2 GiB are
    /// texts without tokens.
    void add(const arrow::TextColumn& column);
};

}  // namespace dsir::lexrank
