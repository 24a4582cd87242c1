#include "text/whitespace.hpp"

#include <bit>

#include "unicode/unicode_tables.hpp"
#include "unicode/utf8.hpp"

namespace dsir::text {

std::uint64_t white_space(const TextBlock& block, const std::uint8_t* at, const std::uint8_t* end) {
    std::uint64_t space = block.found.classes.space;
    std::uint64_t left = block.found.two_or_more &
                         ~(block.found.known.word | block.found.known.punctuation) &
                         low_bits(block.length);
    for (; left != 0; left &= left - 1) {
        const int i = std::countr_zero(left);
        // U+0085 and U+00A0, U+1680, U+2000-205F, U+3000.
        const std::uint8_t first = at[i];
        if (first != 0xC2 && (first < 0xE1 || first > 0xE3)) continue;
        const unicode::Decoded decoded = unicode::decode_utf8(at + i, end);
        const auto kind = unicode::Kind{unicode::properties_of(decoded.code_point).kind};
        if (kind == unicode::Kind::space) space |= low_bits(decoded.length) << i;
    }
    return space;
}

WhitespaceCut::WhitespaceCut(std::string_view text)
    : begin_(reinterpret_cast<const std::uint8_t*>(text.data())),
      at_(begin_),
      end_(begin_ + text.size()),
      kernels_(simd::cut_kernels(simd::active_level())) {}

void WhitespaceCut::take(Places& places) {
    const TextBlock block(kernels_, at_, end_);
    const std::uint64_t inside = low_bits(block.length);
    const std::uint64_t token = ~white_space(block, at_, end_);
    const std::uint64_t before = (token << 1) | std::uint64_t{open_};
    const auto offset = static_cast<std::uint32_t>(at_ - begin_);
    places.append(kernels_, token & ~before & inside, ~token & before & inside, offset);
    open_ = ((token >> (block.length - 1)) & 1) != 0;
    at_ += block.length;
    if (at_ == end_ && open_) {
        places.ends[places.ends_size++] = static_cast<std::uint32_t>(end_ - begin_);
        open_ = false;
    }
}

}  // namespace dsir::text
