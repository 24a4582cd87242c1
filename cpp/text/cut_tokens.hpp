#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "simd/cut.hpp"
#include "text/letter_case.hpp"
#include "text/token_buffer.hpp"
#include "text/token_spans.hpp"

/// Tokenizers whose tokens are pieces of the document in lower case, or as it is written: a class
/// says where a text is cut, and the templates make a tokenizer and its spans of it.
namespace dsir::text {

/// Where tokens start and end; the arrays belong to the caller.
struct Places {
    /// Appends offset + i for the bits i that are set.
    void append(const simd::CutKernels& kernels, std::uint64_t start_bits, std::uint64_t end_bits,
                std::uint32_t offset) {
        starts_size += kernels.append(start_bits, offset, starts + starts_size);
        ends_size += kernels.append(end_bits, offset, ends + ends_size);
    }

    std::uint32_t* starts;
    std::uint32_t* ends;
    std::size_t starts_size = 0;
    std::size_t ends_size = 0;
};

/// Cuts a text that is UTF-8. Each take() goes over at most 64 bytes more of the text and appends
/// the places that it finds, in order. A token that is open goes on in the next take(); the last
/// take() ends it. Cutting a text and cutting the text in lower case give the same tokens, except
/// that the second half of U+0130 may begin one in lower case.
template <class T>
concept TextCut = std::constructible_from<T, std::string_view> && requires(T one, Places& places) {
    one.take(places);
    { std::as_const(one).done() } -> std::same_as<bool>;
};

/// The most places of a kind that one take() appends.
inline constexpr std::size_t kMostPlaces = 65;
static_assert(simd::kCutSlack < kMostPlaces, "what a kernel overwrites is in the arrays");

/// Takes pieces of the text until a stretch is full or at its end.
template <TextCut Cut>
void take_stretch(Cut& cut, Places& places) {
    for (std::size_t taken = 0; taken < kStretchBytes && !cut.done(); taken += 64) {
        if (places.ends_size + kMostPlaces > kStretchTokens) break;
        cut.take(places);
    }
}

/// A tokenizer that brings the document into its case and cuts it. Used like WordPunct. Memory: 1.5
/// times the document, which lies in the buffer.
template <TextCut Cut>
class CutTokens {
  public:
    /// Starts on a document of up to 2 GiB. `buffer` must outlive the tokenizer.
    CutTokens(std::string_view document, TokenBuffer& buffer, Case letters = Case::lower)
        : buffer_(buffer),
          written_(write_into(buffer, document, letters)),
          cut_({reinterpret_cast<const char*>(buffer.bytes.get()), written_.value_or(0)}) {}

    /// Fills the buffer with the next tokens. Returns false when there are none left.
    bool next() {
        std::uint32_t* const starts = buffer_.starts.get();
        Places places{starts, buffer_.ends.get()};
        if (buffer_.starts_size > buffer_.ends_size) {  // A token is open.
            starts[0] = starts[buffer_.starts_size - 1];
            places.starts_size = 1;
        }
        while (places.ends_size == 0 && !cut_.done()) take_stretch(cut_, places);
        buffer_.starts_size = places.starts_size;
        buffer_.ends_size = places.ends_size;
        return places.ends_size != 0;
    }

    /// Whether the document is UTF-8.
    bool valid() const { return written_.has_value(); }

  private:
    static std::optional<std::size_t> write_into(TokenBuffer& buffer, std::string_view document,
                                                 Case letters) {
        buffer.clear();
        buffer.reserve(lower_room(document.size()), kStretchTokens + kMostPlaces);
        return write_in_case(letters, document, buffer.bytes.get());
    }

    TokenBuffer& buffer_;
    std::optional<std::size_t> written_;  ///< bytes; nothing if the document is not UTF-8
    Cut cut_;
};

/// Finds where the tokens lie in the document as it is, before lower-casing. Used like
/// WordPunctSpans.
template <TextCut Cut>
class CutSpans {
  public:
    /// Starts on a document of up to 2 GiB. `document` and `buffer` must outlive this object.
    CutSpans(std::string_view document, SpanBuffer& buffer)
        : buffer_(buffer),
          valid_(is_utf8(document)),
          cut_(valid_ ? document : std::string_view()) {}

    /// Fills the buffer with the next stretch that has a start or an end. Returns false when there
    /// is none left.
    bool next() {
        Places places{buffer_.starts.data(), buffer_.ends.data()};
        while (places.starts_size + places.ends_size == 0 && !cut_.done()) {
            take_stretch(cut_, places);
        }
        buffer_.starts_size = places.starts_size;
        buffer_.ends_size = places.ends_size;
        return places.starts_size + places.ends_size != 0;
    }

    /// Whether the document is UTF-8.
    bool valid() const { return valid_; }

  private:
    SpanBuffer& buffer_;
    bool valid_;
    Cut cut_;
};

}  // namespace dsir::text
