#pragma once

#include <cstdint>
#include <vector>

#include "arrow/text_column.hpp"
#include "chunk/windows.hpp"
#include "text/normalizer.hpp"
#include "text/tokenizers.hpp"

namespace dsir::chunk {

/// Windows in the order of rows and starts. Every row has at least one: a row without a token
/// (null, empty or blank) and a row that cannot be cut have one window of 0 bytes.
struct Chunks {
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> starts;        ///< in bytes
    std::vector<std::int64_t> lengths;       ///< in bytes
    std::vector<std::int64_t> invalid_rows;  ///< not UTF-8, or too long (text::kLargestDocument)
};

/// Cuts every row by the tokens that the tokenizer finds in the row's text in the given form. The
/// windows are those of the row as it is; see text::NormalizedSpans. The result does not depend on
/// `threads` (at least 1). Throws std::invalid_argument if the tokenizer is not one of whole texts.
Chunks chunk(const arrow::TextColumn& column, text::TokenizerKind tokenizer, text::Form form,
             const WindowSpec& spec, unsigned threads);

}  // namespace dsir::chunk
