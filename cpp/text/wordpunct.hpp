#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "simd/cut.hpp"
#include "text/token_buffer.hpp"
#include "unicode/unicode_tables.hpp"

namespace dsir::text {

/// The reference's tokens of one document: `text.lower()` as in Python, then the runs of
/// `\w+|[^\w\s]+` (NLTK's WordPunctTokenizer), for all of Unicode (version:
/// unicode::kUnicodeVersion).
///
///     WordPunct tokenizer(document, buffer);
///     while (tokenizer.next()) use(buffer);      // tokens in order, a few hundred at a time
///     if (!tokenizer.valid()) ...;               // not UTF-8: discard the tokens
///
/// Memory: one stretch, or the longest token if that is longer.
class WordPunct {
  public:
    /// Starts on a document of up to 2 GiB. `document` and `buffer` must outlive the tokenizer.
    WordPunct(std::string_view document, TokenBuffer& buffer);

    /// Fills the buffer with the next complete tokens. Returns false when there are none left.
    bool next();

    /// Whether the part of the document that was read is UTF-8.
    bool valid() const { return valid_; }

  private:
    void take_stretch();
    std::size_t take_block(const std::uint8_t* block, const simd::BlockMasks& masks,
                           std::size_t length);
    void take_character();
    void put(char32_t code_point, unicode::Kind kind);
    void move_to(unicode::Kind kind);

    const std::uint8_t* begin_;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    TokenBuffer& buffer_;
    const simd::CutKernels& kernels_;
    simd::Cut cut_{};  ///< how far the buffer is filled, and the class of the open token
    bool valid_ = true;
};

}  // namespace dsir::text
