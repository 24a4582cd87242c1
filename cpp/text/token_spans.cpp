#include "text/token_spans.hpp"

#include <bit>
#include <cstring>

#include "unicode/utf8.hpp"

namespace dsir::text {
namespace {

/// Bits below `count`, for 0 to 64.
constexpr std::uint64_t low_bits(std::size_t count) {
    return count >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
}

/// Appends offset + i for every set bit i.
inline std::size_t append_positions(std::uint64_t mask, std::uint32_t offset, std::uint32_t* out) {
    std::size_t count = 0;
    while (mask != 0) {
        out[count++] = offset + static_cast<std::uint32_t>(std::countr_zero(mask));
        mask &= mask - 1;
    }
    return count;
}

}  // namespace

WordPunctSpans::WordPunctSpans(std::string_view document, SpanBuffer& buffer)
    : begin_(reinterpret_cast<const std::uint8_t*>(document.data())),
      at_(begin_),
      end_(begin_ + document.size()),
      buffer_(buffer),
      classify_(simd::classify_kernel(simd::active_level())) {
    buffer_.clear();
}

bool WordPunctSpans::next() {
    do {
        buffer_.clear();
        if (at_ == end_) {
            if (open_ == unicode::Kind::space) return false;
            move_to(unicode::Kind::space);
            return true;
        }
        take_stretch();
    } while (buffer_.starts_size == 0 && buffer_.ends_size == 0 && valid_);
    return valid_;
}

void WordPunctSpans::take_stretch() {
    const std::size_t left = static_cast<std::size_t>(end_ - at_);
    const std::uint8_t* const stop = left > kStretchBytes ? at_ + kStretchBytes : end_;
    while (at_ < stop && valid_) {
        if (*at_ >= 0x80) {
            take_character();
            continue;
        }
        const std::size_t available = static_cast<std::size_t>(end_ - at_);
        if (available >= 64) {
            at_ += take_ascii(at_, 64);
        } else {
            std::uint8_t padded[64] = {};
            std::memcpy(padded, at_, available);
            at_ += take_ascii(padded, available);
        }
    }
}

/// Takes the ASCII bytes that a block begins with, `length` of its 64 at most; returns how many.
/// The masks are those of WordPunct::take_ascii.
std::size_t WordPunctSpans::take_ascii(const std::uint8_t* block, std::size_t length) {
    const std::uint32_t offset = here();
    std::uint8_t lowered[64];  // not needed
    const simd::BlockMasks masks = classify_(block, lowered);
    const auto ascii = static_cast<std::size_t>(std::countr_zero(masks.non_ascii));
    const std::size_t taken = ascii < length ? ascii : length;
    const std::uint64_t inside = low_bits(taken);
    const std::uint64_t word = masks.word & inside;
    const std::uint64_t punctuation = ~(masks.word | masks.space) & inside;
    const std::uint64_t word_before = (word << 1) | std::uint64_t{open_ == unicode::Kind::word};
    const std::uint64_t punctuation_before =
        (punctuation << 1) | std::uint64_t{open_ == unicode::Kind::punctuation};
    const std::uint64_t starts = (word & ~word_before) | (punctuation & ~punctuation_before);
    const std::uint64_t ends =
        ((~word & word_before) | (~punctuation & punctuation_before)) & inside;
    buffer_.starts_size +=
        append_positions(starts, offset, buffer_.starts.data() + buffer_.starts_size);
    buffer_.ends_size += append_positions(ends, offset, buffer_.ends.data() + buffer_.ends_size);
    const std::uint64_t last = std::uint64_t{1} << (taken - 1);
    open_ = (word & last) != 0          ? unicode::Kind::word
            : (punctuation & last) != 0 ? unicode::Kind::punctuation
                                        : unicode::Kind::space;
    return taken;
}

void WordPunctSpans::take_character() {
    const unicode::Decoded decoded = unicode::decode_utf8(at_, end_);
    if (decoded.length == 0) {
        valid_ = false;
        return;
    }
    const unicode::CharacterProperties& properties = unicode::properties_of(decoded.code_point);
    if (decoded.code_point == 0x130) {
        // Lowered to `i` and U+0307. The token that begins with the latter goes on from here; only
        // its class is taken note of.
        move_to(unicode::Kind::word);
        open_ = unicode::Kind{unicode::properties_of(0x307).kind};
    } else {
        move_to(unicode::Kind{properties.kind});
    }
    at_ += decoded.length;
}

/// Closes and opens tokens as the class of the next character asks.
void WordPunctSpans::move_to(unicode::Kind kind) {
    if (kind == open_) return;
    if (open_ != unicode::Kind::space) buffer_.ends[buffer_.ends_size++] = here();
    if (kind != unicode::Kind::space) buffer_.starts[buffer_.starts_size++] = here();
    open_ = kind;
}

}  // namespace dsir::text
