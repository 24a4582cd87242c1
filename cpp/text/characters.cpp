#include "text/characters.hpp"

#include <bit>

#include "text/whitespace.hpp"
#include "unicode/utf8.hpp"

namespace dsir::text {

using unicode::GraphemeBreak;
using unicode::SegmentProperties;

CodePointCut::CodePointCut(std::string_view text)
    : begin_(reinterpret_cast<const std::uint8_t*>(text.data())),
      at_(begin_),
      end_(begin_ + text.size()),
      kernels_(simd::cut_kernels(simd::active_level())) {}

void CodePointCut::take(Places& places) {
    const TextBlock block(kernels_, at_, end_);
    const std::uint64_t inside = low_bits(block.length);
    const std::uint64_t visible = ~white_space(block, at_, end_) & inside;
    const std::uint64_t leads = block.leads();
    // Blocks have whole characters, so every token ends in the block. A token ends where its next
    // character begins; the end of the block is not a bit of the block.
    const std::uint64_t starts = visible & leads;
    const std::uint64_t ends = (visible << 1) & leads & inside;
    const auto offset = static_cast<std::uint32_t>(at_ - begin_);
    places.append(kernels_, starts, ends, offset);
    at_ += block.length;
    if (((visible >> (block.length - 1)) & 1) != 0) {
        places.ends[places.ends_size++] = static_cast<std::uint32_t>(at_ - begin_);
    }
}

GraphemeCut::GraphemeCut(std::string_view text)
    : begin_(reinterpret_cast<const std::uint8_t*>(text.data())),
      at_(begin_),
      end_(begin_ + text.size()),
      kernels_(simd::cut_kernels(simd::active_level())) {}

void GraphemeCut::take(Places& places) {
    const TextBlock block(kernels_, at_, end_);
    const std::uint64_t inside = low_bits(block.length);
    std::uint64_t visible = ~white_space(block, at_, end_);
    const std::uint64_t leads = block.leads();
    std::uint64_t starts = visible & leads;
    // Characters that the kernel knows, and ASCII, extend no cluster; the others are looked up. So
    // is a character of ASCII at the beginning, before which one may be that is joined to the next.
    std::uint64_t left =
        block.found.two_or_more & ~(block.found.known.word | block.found.known.punctuation);
    left &= visible & inside;
    if (last_ == GraphemeBreak::prepend && open_) left |= visible & 1;
    std::size_t known_to = 0;  // `last_` and the others are those before this byte
    while (left != 0) {
        const auto i = static_cast<std::size_t>(std::countr_zero(left));
        left &= left - 1;
        const unicode::Decoded decoded = unicode::decode_utf8(at_ + i, end_);
        const SegmentProperties& own = unicode::segment_properties_of(decoded.code_point);
        const bool before = i == 0 ? open_ : ((visible >> (i - 1)) & 1) != 0;
        if (before && i != known_to) {
            // The character before is one of ASCII or known to the kernel.
            const std::uint8_t byte = at_[i - 1];
            const bool control = byte < 0x20 || byte == 0x7F;
            last_ = control ? GraphemeBreak::control : GraphemeBreak::other;
            pictograph_ = odd_regionals_ = false;
        }
        if (before && joined(own)) {
            starts &= ~(std::uint64_t{1} << i);
        } else {
            last_ = GraphemeBreak::other;
            pictograph_ = odd_regionals_ = false;
        }
        see(own);
        known_to = i + decoded.length;
        // What is joined to the character before it, whatever it is.
        if (last_ == GraphemeBreak::prepend && known_to < block.length) {
            left |= (std::uint64_t{1} << known_to) & visible;
        }
    }
    if (known_to != block.length) {
        const std::uint8_t byte = at_[block.length - 1];
        last_ = byte < 0x20 || byte == 0x7F ? GraphemeBreak::control : GraphemeBreak::other;
        pictograph_ = odd_regionals_ = false;
    }
    const std::uint64_t before = (visible << 1) | std::uint64_t{open_};
    const auto offset = static_cast<std::uint32_t>(at_ - begin_);
    places.append(kernels_, starts & inside, before & (starts | (~visible & leads)) & inside,
                  offset);
    open_ = ((visible >> (block.length - 1)) & 1) != 0;
    at_ += block.length;
    if (at_ == end_ && open_) {
        places.ends[places.ends_size++] = static_cast<std::uint32_t>(end_ - begin_);
        open_ = false;
    }
}

/// Whether there is no boundary between the last character and the next: the rules GB4 to GB13.
bool GraphemeCut::joined(const SegmentProperties& next) const {
    switch (next.grapheme) {
        case GraphemeBreak::control:
            return false;
        case GraphemeBreak::extend:
        case GraphemeBreak::joiner:
        case GraphemeBreak::spacing_mark:
            return last_ != GraphemeBreak::control;
        default:
            break;
    }
    const auto next_is = [&next](auto... any) { return ((next.grapheme == any) || ...); };
    switch (last_) {
        case GraphemeBreak::prepend:
            return true;
        case GraphemeBreak::hangul_l:
            return next_is(GraphemeBreak::hangul_l, GraphemeBreak::hangul_v,
                           GraphemeBreak::hangul_lv, GraphemeBreak::hangul_lvt);
        case GraphemeBreak::hangul_v:
        case GraphemeBreak::hangul_lv:
            return next_is(GraphemeBreak::hangul_v, GraphemeBreak::hangul_t);
        case GraphemeBreak::hangul_t:
        case GraphemeBreak::hangul_lvt:
            return next_is(GraphemeBreak::hangul_t);
        case GraphemeBreak::joiner:
            return pictograph_ && next.pictographic;
        case GraphemeBreak::regional:
            return odd_regionals_ && next_is(GraphemeBreak::regional);
        default:
            return false;
    }
}

/// Makes the next character the last.
void GraphemeCut::see(const SegmentProperties& next) {
    const bool extends =
        next.grapheme == GraphemeBreak::extend || next.grapheme == GraphemeBreak::joiner;
    pictograph_ = next.pictographic || (pictograph_ && extends && last_ != GraphemeBreak::joiner);
    odd_regionals_ = next.grapheme == GraphemeBreak::regional && !odd_regionals_;
    last_ = next.grapheme;
}

}  // namespace dsir::text
