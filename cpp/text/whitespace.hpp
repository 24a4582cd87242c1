#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/cut_tokens.hpp"
#include "text/text_block.hpp"

namespace dsir::text {

/// The white space of a block: bytes of characters for which str.isspace() is true. The text must
/// be UTF-8; `at` is where the block begins.
std::uint64_t white_space(const TextBlock& block, const std::uint8_t* at, const std::uint8_t* end);

/// Cuts at white space, as str.split() does.
class WhitespaceCut {
  public:
    /// The text must outlive this object.
    explicit WhitespaceCut(std::string_view text);

    void take(Places& places);
    bool done() const { return at_ == end_; }

  private:
    const std::uint8_t* begin_;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    const simd::CutKernels& kernels_;
    bool open_ = false;  ///< whether the last byte belongs to a token
};

/// tokenizer="whitespace": the tokens of text.lower().split().
using Whitespace = CutTokens<WhitespaceCut>;
using WhitespaceSpans = CutSpans<WhitespaceCut>;

}  // namespace dsir::text
