#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/token_buffer.hpp"

namespace dsir::text {

/// A tokenizer that cuts a document at its spaces (U+0020) and leaves the pieces as they are. It is
/// for tokens that were made elsewhere and joined by spaces. Used like WordPunct. Memory: as much
/// as the document.
class SplitSpaces {
  public:
    /// Starts on a document of up to 2 GiB. `buffer` must outlive the tokenizer.
    SplitSpaces(std::string_view document, TokenBuffer& buffer);

    /// Fills the buffer with the next tokens. Returns false when there are none left.
    bool next();

    /// Whether the document is UTF-8.
    bool valid() const { return valid_; }

  private:
    TokenBuffer& buffer_;
    std::size_t at_ = 0;
    std::size_t end_ = 0;
    bool valid_;
};

}  // namespace dsir::text
