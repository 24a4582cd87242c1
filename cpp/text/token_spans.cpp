#include "text/token_spans.hpp"

#include <bit>
#include <cstring>

#include "unicode/utf8.hpp"

namespace dsir::text {
namespace {

/// The lowest `count` bits, for a count of 0 to 64.
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

WordPunctSpans::WordPunctSpans(std::string_view document, SpanBuffer& buffer, Case letters)
    : begin_(reinterpret_cast<const std::uint8_t*>(document.data())),
      at_(begin_),
      end_(begin_ + document.size()),
      buffer_(buffer),
      classify_(simd::classify_kernel(simd::active_level())),
      letters_(letters) {
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

/// Takes the ASCII bytes at the beginning of a block, at most `length` of its 64, and returns how
/// many it took. The masks are those of simd::Cut.
std::size_t WordPunctSpans::take_ascii(const std::uint8_t* block, std::size_t length) {
    const std::uint32_t offset = here();
    std::uint8_t lowered[64];  // not used
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
    if (decoded.code_point == 0x130 && letters_ == Case::lower) {
        // The character becomes `i` and U+0307 in lower case. A token that begins with U+0307
        // belongs to the span of this one, so only its class is recorded.
        move_to(unicode::Kind::word);
        open_ = unicode::Kind{unicode::properties_of(0x307).kind};
    } else {
        move_to(unicode::Kind{properties.kind});
    }
    at_ += decoded.length;
}

/// Closes and opens tokens if the next character has another class.
void WordPunctSpans::move_to(unicode::Kind kind) {
    if (kind == open_) return;
    if (open_ != unicode::Kind::space) buffer_.ends[buffer_.ends_size++] = here();
    if (kind != unicode::Kind::space) buffer_.starts[buffer_.starts_size++] = here();
    open_ = kind;
}

}  // namespace dsir::text
