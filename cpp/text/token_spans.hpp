#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "simd/cut.hpp"
#include "text/token_buffer.hpp"
#include "unicode/unicode_tables.hpp"

namespace dsir::text {

/// Where tokens lie in a document: byte offsets, in order, a stretch at a time. The k-th start and
/// the k-th end of all stretches together are those of token k; a token that goes on in the next
/// stretch has its end there.
///
/// Reused from stretch to stretch and from document to document; not thread-safe.
struct SpanBuffer {
    static constexpr std::size_t kMost = kStretchTokens + 2;

    void clear() { starts_size = ends_size = 0; }

    std::array<std::uint32_t, kMost> starts;
    std::array<std::uint32_t, kMost> ends;
    std::size_t starts_size = 0;
    std::size_t ends_size = 0;
};

/// Where the tokens of WordPunct lie in the original document, before lower-casing:
///
///     WordPunctSpans spans(document, buffer);
///     while (spans.next()) use(buffer);
///     if (!spans.valid()) ...;               // not UTF-8: what came out is to be discarded
///
/// Spans are whole characters. One character, U+0130, is lowered to two of different classes, so
/// that a token can begin inside it; such a token has no span of its own and belongs to that of the
/// token before. All others correspond one to one.
///
/// The spans of another tokeniser have the same members, and fill SpanBuffer in the same way.
class WordPunctSpans {
  public:
    /// Starts on a document of up to 2 GiB. `document` and `buffer` must outlive this.
    WordPunctSpans(std::string_view document, SpanBuffer& buffer);

    /// Fills the buffer with the next stretch that has a start or an end; false when there is none.
    bool next();

    /// Whether what was read so far is UTF-8.
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
    unicode::Kind open_ = unicode::Kind::space;  ///< class of the character before, space for none
    bool valid_ = true;
};

}  // namespace dsir::text
