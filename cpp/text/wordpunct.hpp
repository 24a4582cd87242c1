#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "simd/cut.hpp"
#include "text/token_buffer.hpp"
#include "unicode/unicode_tables.hpp"

namespace dsir::text {

/// The reference's tokens of one document: `text.lower()` in Python's sense, then the runs of
/// \w+|[^\w\s]+ (NLTK's WordPunctTokenizer), for all of Unicode (version:
/// unicode::kUnicodeVersion).
///
///     WordPunct tokenizer(document, buffer);
///     while (tokenizer.next()) use(buffer);      // tokens in order, a few hundred at a time
///     if (!tokenizer.valid()) ...;               // not UTF-8: what came out is to be discarded
///
/// Documents up to 2 GiB. Memory: the stretch, or the longest token where that is longer.
class WordPunct {
  public:
    /// Starts on a document. `document` and `buffer` must outlive the tokeniser.
    WordPunct(std::string_view document, TokenBuffer& buffer);

    /// Fills the buffer with the next complete tokens; false when there are none left.
    bool next();

    /// Whether what was read so far is UTF-8.
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
    simd::Cut cut_{};  ///< what is in the buffer, and the class of the token still open
    bool valid_ = true;
};

}  // namespace dsir::text
