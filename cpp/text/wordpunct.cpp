#include "text/wordpunct.hpp"

#include <bit>
#include <cstring>

#include "text/lower.hpp"
#include "unicode/utf8.hpp"

namespace dsir::text {
namespace {

/// The token buffer's arrays and how far they are filled.
simd::Cut cut_into(const TokenBuffer& buffer, const simd::Cut& before) {
    simd::Cut cut = before;
    cut.bytes = buffer.bytes.get();
    cut.starts = buffer.starts.get();
    cut.ends = buffer.ends.get();
    cut.bytes_size = buffer.bytes_size;
    cut.starts_size = buffer.starts_size;
    cut.ends_size = buffer.ends_size;
    return cut;
}

}  // namespace

WordPunct::WordPunct(std::string_view document, TokenBuffer& buffer)
    : begin_(reinterpret_cast<const std::uint8_t*>(document.data())),
      at_(begin_),
      end_(begin_ + document.size()),
      buffer_(buffer),
      kernels_(simd::cut_kernels(simd::active_level())) {
    buffer_.clear();
}

bool WordPunct::next() {
    // A stretch inside one long token, or of spaces only, completes no token; continue until one
    // does.
    do {
        buffer_.drop_complete_tokens();
        cut_ = cut_into(buffer_, cut_);
        const bool at_end = at_ == end_;
        if (at_end) {
            if ((cut_.word_open | cut_.punctuation_open) == 0) return false;
            move_to(unicode::Kind::space);
        } else {
            take_stretch();
        }
        buffer_.bytes_size = cut_.bytes_size;
        buffer_.starts_size = cut_.starts_size;
        buffer_.ends_size = cut_.ends_size;
        if (at_end) return true;
    } while (buffer_.size() == 0 && valid_);
    return valid_;
}

void WordPunct::take_stretch() {
    // Lower-casing turns 2 bytes into at most 3, and a block of 64 bytes is stored whole.
    buffer_.reserve(buffer_.bytes_size + kStretchTokens * 3 / 2 + 64,
                    buffer_.starts_size + kStretchTokens + simd::kCutSlack);
    cut_ = cut_into(buffer_, cut_);
    const std::size_t left = static_cast<std::size_t>(end_ - at_);
    const std::uint8_t* const stop = left > kStretchBytes ? at_ + kStretchBytes : end_;
    while (at_ < stop && valid_) {
        const auto available = static_cast<std::size_t>(end_ - at_);
        std::size_t taken = 0;
        if (available >= 64) {
            // Whole blocks. The last one may reach beyond the stretch, but not beyond the document.
            const std::size_t wanted = (static_cast<std::size_t>(stop - at_) + 63) / 64;
            const std::size_t whole = available / 64;
            const std::size_t blocks = wanted < whole ? wanted : whole;
            const std::size_t ascii = kernels_.ascii(at_, blocks, cut_);
            at_ += ascii * 64;
            if (ascii == blocks) continue;
            taken = take_block(at_, cut_.stopped, 64);
        } else {
            std::uint8_t padded[64] = {};
            std::memcpy(padded, at_, available);
            taken = take_block(padded, kernels_.classify(padded, cut_.bytes + cut_.bytes_size),
                               available);
        }
        at_ += taken;
        // A block can end before a character that take_block() leaves to take_character().
        if (taken == 0 && valid_) take_character();
    }
}

/// Takes up to `length` of the 64 bytes of `block`, which is the text at at_. `masks` are its
/// classes; its ASCII bytes already lie in lower case after bytes_size. Returns how many bytes were
/// taken. Stops before a character that is not UTF-8, that crosses the end of the block, or whose
/// lower case has another length or depends on the characters around it.
std::size_t WordPunct::take_block(const std::uint8_t* block, const simd::BlockMasks& masks,
                                  std::size_t length) {
    std::uint64_t word = masks.word;
    std::uint64_t space = masks.space;
    std::uint64_t left = masks.non_ascii;
    if (left != 0) {
        const simd::KnownMasks known = kernels_.known(block);
        word |= known.word;
        left &= ~(known.word | known.punctuation);
    }
    std::uint8_t* const lowered = cut_.bytes + cut_.bytes_size;
    while (left != 0) {
        const auto i = static_cast<std::size_t>(std::countr_zero(left));
        const unicode::Decoded decoded = unicode::decode_utf8(at_ + i, end_);
        const unicode::CharacterProperties& properties = unicode::properties_of(decoded.code_point);
        if (decoded.length == 0 || i + decoded.length > 64 || properties.special != 0) {
            valid_ = decoded.length != 0;
            length = i;
            break;
        }
        if (properties.lower_delta != 0) {
            std::uint8_t bytes[4];
            const auto lower = static_cast<char32_t>(static_cast<std::int32_t>(decoded.code_point) +
                                                     properties.lower_delta);
            if (unicode::encode_utf8(lower, bytes) != decoded.length) {
                length = i;
                break;
            }
            for (unsigned k = 0; k < decoded.length; ++k) lowered[i + k] = bytes[k];
        }
        const std::uint64_t here = ((std::uint64_t{1} << decoded.length) - 1) << i;
        word |= properties.kind == static_cast<std::uint8_t>(unicode::Kind::word) ? here : 0;
        space |= properties.kind == static_cast<std::uint8_t>(unicode::Kind::space) ? here : 0;
        left &= ~here;
    }
    if (length != 0) kernels_.block(word, ~(word | space), length, cut_);
    return length;
}

/// Takes the character at at_, whatever it becomes in lower case.
void WordPunct::take_character() {
    const unicode::Decoded decoded = unicode::decode_utf8(at_, end_);
    if (decoded.length == 0) {
        valid_ = false;
        return;
    }
    const unicode::CharacterProperties& properties = unicode::properties_of(decoded.code_point);
    const unicode::Kind kind{properties.kind};
    if (properties.special != 0) {
        lower_special(decoded.code_point, begin_, at_, end_,
                      [this](char32_t lowered, unicode::Kind of_it) { put(lowered, of_it); });
    } else {
        put(static_cast<char32_t>(static_cast<std::int32_t>(decoded.code_point) +
                                  properties.lower_delta),
            kind);
    }
    at_ += decoded.length;
}

void WordPunct::put(char32_t code_point, unicode::Kind kind) {
    move_to(kind);
    cut_.bytes_size += unicode::encode_utf8(code_point, cut_.bytes + cut_.bytes_size);
}

/// Closes and opens tokens if the next character has another class.
void WordPunct::move_to(unicode::Kind kind) {
    const std::uint64_t word = kind == unicode::Kind::word ? 1 : 0;
    const std::uint64_t punctuation = kind == unicode::Kind::punctuation ? 1 : 0;
    if (word == cut_.word_open && punctuation == cut_.punctuation_open) return;
    const auto here = static_cast<std::uint32_t>(cut_.bytes_size);
    if ((cut_.word_open | cut_.punctuation_open) != 0) cut_.ends[cut_.ends_size++] = here;
    if ((word | punctuation) != 0) cut_.starts[cut_.starts_size++] = here;
    cut_.word_open = word;
    cut_.punctuation_open = punctuation;
}

}  // namespace dsir::text
