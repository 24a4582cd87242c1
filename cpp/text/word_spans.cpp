#include "text/word_spans.hpp"

#include <algorithm>

#include "unicode/utf8.hpp"

namespace dsir::text {
namespace {

/// The number of bytes that a character has in lower case. A capital sigma becomes one of two
/// letters, both of two bytes.
std::size_t lowered_bytes(const unicode::Decoded& decoded) {
    if (decoded.code_point == 0x130) return 3;
    const std::int32_t delta = unicode::properties_of(decoded.code_point).lower_delta;
    if (delta == 0) return decoded.length;
    std::uint8_t lowered[4];
    return unicode::encode_utf8(
        static_cast<char32_t>(static_cast<std::int32_t>(decoded.code_point) + delta), lowered);
}

}  // namespace

WordTokenizeSpans::WordTokenizeSpans(std::string_view document, SpanBuffer& buffer)
    : begin_(reinterpret_cast<const std::uint8_t*>(document.data())),
      at_(begin_),
      end_(begin_ + document.size()),
      buffer_(buffer),
      tokenizer_(document, tokens_) {}

bool WordTokenizeSpans::next() {
    buffer_.clear();
    while (buffer_.ends_size == 0) {
        if (!tokenizer_.next()) return false;
        for (std::size_t k = 0; k < tokens_.size(); ++k) take(tokens_[k]);
    }
    return true;
}

void WordTokenizeSpans::take(std::string_view token) {
    std::size_t wanted = token.size();
    const std::size_t inside = std::min(left_over_, wanted);
    left_over_ -= inside;
    wanted -= inside;
    if (wanted == 0) return;
    if (inside == 0) {
        skip_spaces();
        if (*at_ == '"' && (token == "``" || token == "''")) wanted = 1;
        buffer_.starts[buffer_.starts_size++] = static_cast<std::uint32_t>(at_ - begin_);
    }
    while (wanted != 0) {
        const unicode::Decoded decoded = unicode::decode_utf8(at_, end_);
        at_ += decoded.length;
        const std::size_t lowered = lowered_bytes(decoded);
        left_over_ = lowered - std::min(lowered, wanted);
        wanted -= std::min(lowered, wanted);
    }
    const auto here = static_cast<std::uint32_t>(at_ - begin_);
    if (inside == 0) {
        buffer_.ends[buffer_.ends_size++] = here;
    } else if (buffer_.ends_size != 0) {
        buffer_.ends[buffer_.ends_size - 1] = here;
    }
}

void WordTokenizeSpans::skip_spaces() {
    while (true) {
        const unicode::Decoded decoded = unicode::decode_utf8(at_, end_);
        if (unicode::Kind{unicode::properties_of(decoded.code_point).kind} != unicode::Kind::space)
            return;
        at_ += decoded.length;
    }
}

}  // namespace dsir::text
