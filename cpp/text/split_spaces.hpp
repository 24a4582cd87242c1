#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/token_buffer.hpp"

namespace dsir::text {

/// What stands between the spaces (U+0020) of a document, taken as it is: for tokens that were made
/// elsewhere and joined by spaces. The interface is that of WordPunct; so is the bound on a
/// stretch. Memory: the document.
class SplitSpaces {
  public:
    /// Starts on a document. `buffer` must outlive the tokeniser.
    SplitSpaces(std::string_view document, TokenBuffer& buffer);

    /// Fills the buffer with the next tokens; false when there are none left.
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
