#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "simd/cut.hpp"
#include "text/letter_case.hpp"
#include "text/token_buffer.hpp"
#include "unicode/unicode_tables.hpp"

namespace dsir::text {

/// The places of tokens in one stretch of a document, as byte offsets in order. Token k of a
/// document has the k-th start and the k-th end, counted over all stretches: a token that goes on
/// in the next stretch has its end there.
///
/// Reuse one buffer for all stretches of all documents. Not thread-safe.
struct SpanBuffer {
    static constexpr std::size_t kMost = kStretchTokens + 2;

    void clear() { starts_size = ends_size = 0; }

    std::array<std::uint32_t, kMost> starts;
    std::array<std::uint32_t, kMost> ends;
    std::size_t starts_size = 0;
    std::size_t ends_size = 0;
};

/// Finds where the tokens of WordPunct lie in the document as it is, before lower-casing:
///
///     WordPunctSpans spans(document, buffer);
///     while (spans.next()) use(buffer);
///     if (!spans.valid()) ...;               // not UTF-8: discard the spans
///
/// Spans consist of whole characters. U+0130 is the one character that becomes two characters of
/// different classes in lower case, so a token can begin inside it. Such a token has no span of its
/// own; it belongs to the span of the token before. All other tokens have one span each.
///
/// The spans of every tokenizer have these members and fill SpanBuffer in this way.
class WordPunctSpans {
  public:
    /// Starts on a document of up to 2 GiB. `document` and `buffer` must outlive this object. With
    /// Case::as_written, U+0130 is one character as well.
    WordPunctSpans(std::string_view document, SpanBuffer& buffer, Case letters = Case::lower);

    /// Fills the buffer with the next stretch that has a start or an end. Returns false when there
    /// is none left.
    bool next();

    /// Whether the part of the document that was read is UTF-8.
    bool valid() const { return valid_; }

  private:
    void take_stretch();
    std::size_t take_ascii(const std::uint8_t* block, std::size_t length);
    void take_character();
    void move_to(unicode::Kind kind);
    std::uint32_t here() const { return static_cast<std::uint32_t>(at_ - begin_); }

    const std::uint8_t* begin_;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    SpanBuffer& buffer_;
    simd::Classify classify_;
    Case letters_;
    unicode::Kind open_ = unicode::Kind::space;  ///< class of the last character; space at first
    bool valid_ = true;
};

}  // namespace dsir::text
