#include "text/wordpunct.hpp"

#include <bit>
#include <cstring>

#include "text/lower.hpp"
#include "text/utf8.hpp"

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

WordPunct::WordPunct(std::string_view document, TokenBuffer& buffer)
    : begin_(reinterpret_cast<const std::uint8_t*>(document.data())),
      at_(begin_),
      end_(begin_ + document.size()),
      buffer_(buffer),
      classify_(simd::classify_kernel(simd::active_level())) {
    buffer_.clear();
}

bool WordPunct::next() {
    // A stretch inside one long token, or of spaces, completes nothing; go on until one does.
    do {
        buffer_.drop_complete_tokens();
        if (at_ == end_) {
            if (open_ == Kind::space) return false;
            move_to(Kind::space);
            return true;
        }
        take_stretch();
    } while (buffer_.size() == 0 && valid_);
    return valid_;
}

void WordPunct::take_stretch() {
    // Lower-casing makes at most 3 bytes of 2, and a block of 64 is stored whole.
    buffer_.reserve(buffer_.bytes_size + (kStretch + 64) * 3 / 2 + 64,
                    buffer_.starts_size + kStretch + 64 + 1);
    const std::size_t left = static_cast<std::size_t>(end_ - at_);
    const std::uint8_t* const stop = left > kStretch ? at_ + kStretch : end_;
    while (at_ < stop && valid_) {
        if (*at_ >= 0x80) {
            do take_character(at_);
            while (at_ < stop && *at_ >= 0x80 && valid_);
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
std::size_t WordPunct::take_ascii(const std::uint8_t* block, std::size_t length) {
    const std::uint32_t offset = static_cast<std::uint32_t>(buffer_.bytes_size);
    const simd::BlockMasks masks = classify_(block, buffer_.bytes.get() + offset);
    const auto ascii = static_cast<std::size_t>(std::countr_zero(masks.non_ascii));
    const std::size_t taken = ascii < length ? ascii : length;
    const std::uint64_t inside = low_bits(taken);
    const std::uint64_t word = masks.word & inside;
    const std::uint64_t punctuation = ~(masks.word | masks.space) & inside;
    // Shifted by one, with the class that was open before the block as bit 0, each mask says what
    // the byte before was: a token starts where the class sets in and ends where it leaves off.
    const std::uint64_t word_before = (word << 1) | std::uint64_t{open_ == Kind::word};
    const std::uint64_t punctuation_before =
        (punctuation << 1) | std::uint64_t{open_ == Kind::punctuation};
    const std::uint64_t starts = (word & ~word_before) | (punctuation & ~punctuation_before);
    const std::uint64_t ends =
        ((~word & word_before) | (~punctuation & punctuation_before)) & inside;
    buffer_.starts_size +=
        append_positions(starts, offset, buffer_.starts.get() + buffer_.starts_size);
    buffer_.ends_size += append_positions(ends, offset, buffer_.ends.get() + buffer_.ends_size);
    const std::uint64_t last = std::uint64_t{1} << (taken - 1);
    open_ = (word & last) != 0          ? Kind::word
            : (punctuation & last) != 0 ? Kind::punctuation
                                        : Kind::space;
    buffer_.bytes_size += taken;
    return taken;
}

void WordPunct::take_character(const std::uint8_t*& at) {
    const Decoded decoded = decode_utf8(at, end_);
    if (decoded.length == 0) {
        valid_ = false;
        return;
    }
    const CharacterProperties& properties = properties_of(decoded.code_point);
    const Kind kind{properties.kind};
    if (properties.special != 0) {
        lower_special(decoded.code_point, begin_, at, end_,
                      [this](char32_t lowered, Kind of_it) { put(lowered, of_it); });
    } else if (properties.lower_delta == 0) {
        move_to(kind);
        // Four bytes are copied whatever the length; the buffer has room, and the next
        // character overwrites the excess.
        std::uint8_t four[4] = {at[0], at[1], 0, 0};
        if (decoded.length > 2) four[2] = at[2];
        if (decoded.length > 3) four[3] = at[3];
        std::memcpy(buffer_.bytes.get() + buffer_.bytes_size, four, 4);
        buffer_.bytes_size += decoded.length;
    } else {
        put(static_cast<char32_t>(static_cast<std::int32_t>(decoded.code_point) +
                                  properties.lower_delta),
            kind);
    }
    at += decoded.length;
}

void WordPunct::put(char32_t code_point, Kind kind) {
    move_to(kind);
    buffer_.bytes_size += encode_utf8(code_point, buffer_.bytes.get() + buffer_.bytes_size);
}

/// Closes and opens tokens as the class of the next character asks.
void WordPunct::move_to(Kind kind) {
    if (kind == open_) return;
    const auto here = static_cast<std::uint32_t>(buffer_.bytes_size);
    if (open_ != Kind::space) buffer_.ends[buffer_.ends_size++] = here;
    if (kind != Kind::space) buffer_.starts[buffer_.starts_size++] = here;
    open_ = kind;
}

}  // namespace dsir::text
