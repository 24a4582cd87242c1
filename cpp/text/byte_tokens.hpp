#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "text/characters.hpp"
#include "text/letter_case.hpp"
#include "text/token_buffer.hpp"

namespace dsir::text {

/// tokenizer="bytes": every byte of the document, without ASCII white space. Tokens
/// have to be UTF-8, so a byte is written as the character that has its number: U+0000 to U+00FF.
/// Used like WordPunct. Memory: 1.5 times the document.
class ByteTokens {
  public:
    /// Starts on a document of up to 2 GiB. `buffer` must outlive the tokenizer.
    ByteTokens(std::string_view document, TokenBuffer& buffer, Case letters = Case::lower);

    /// Fills the buffer with the next tokens. Returns false when there are none left.
    bool next();

    /// The next tokens as bytes, in place of next(), which it moves on like next(): at most
    /// kStretchBytes of them, and none when there are none left. They are valid until the tokenizer
    /// ends.
    std::span<const std::uint8_t> next_bytes();

    /// Whether the document is UTF-8.
    bool valid() const { return written_.has_value(); }

  private:
    TokenBuffer& buffer_;
    std::unique_ptr<std::uint8_t[]> bytes_;  ///< the document in its case
    std::optional<std::size_t> written_;     ///< its bytes; nothing if the document is not UTF-8
    std::size_t at_ = 0;
};

/// Whether the document has ASCII alone, of which each visible byte is one token of "chars",
/// "codepoints" and "bytes".
bool is_ascii(std::string_view document);

/// A window never cuts a character, so only a byte that begins one has a span: the character. White
/// space beyond ASCII has none, though its bytes are tokens.
using ByteSpans = CodePointSpans;

}  // namespace dsir::text
