#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/token_buffer.hpp"
#include "text/token_spans.hpp"

namespace dsir::text {

/// The tokens of WordPunct as they are written: the runs of `\w+|[^\w\s]+` in the document itself.
/// Used like WordPunct. Memory: the document, which lies in the buffer.
class WrittenWordPunct {
  public:
    /// Starts on a document of up to 2 GiB. `document` and `buffer` must outlive the tokenizer.
    WrittenWordPunct(std::string_view document, TokenBuffer& buffer);

    /// Fills the buffer with the next tokens. Returns false when there are none left.
    bool next();

    /// Whether the part of the document that was read is UTF-8.
    bool valid() const { return spans_.valid(); }

  private:
    TokenBuffer& buffer_;
    SpanBuffer places_;
    WordPunctSpans spans_;
};

}  // namespace dsir::text
