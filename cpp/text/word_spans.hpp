#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/token_buffer.hpp"
#include "text/token_spans.hpp"
#include "text/word_tokenize.hpp"

namespace dsir::text {

/// Finds where the tokens of WordTokenize lie in the document as it is, before lower-casing. Used
/// like WordPunctSpans.
///
/// The class follows the tokens through the document. In order, the tokens are the document's
/// visible characters in lower case, except that `` and '' may stand for the quotation mark ". A
/// token that begins inside a character has no span of its own, as in WordPunctSpans.
class WordTokenizeSpans {
  public:
    /// Starts on a document of up to 2 GiB. `document` and `buffer` must outlive this object.
    WordTokenizeSpans(std::string_view document, SpanBuffer& buffer);

    /// Fills the buffer with the next stretch that has a start or an end. Returns false when there
    /// is none left.
    bool next();

    /// Whether the document is UTF-8.
    bool valid() const { return tokenizer_.valid(); }

  private:
    void take(std::string_view token);
    void skip_spaces();

    const std::uint8_t* begin_;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    std::size_t left_over_ =
        0;  ///< lower-cased bytes of the character before `at_` that no token has taken yet
    SpanBuffer& buffer_;
    TokenBuffer tokens_;
    WordTokenize tokenizer_;
};

}  // namespace dsir::text
