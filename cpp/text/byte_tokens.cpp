#include "text/byte_tokens.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "simd/cut.hpp"

namespace dsir::text {
namespace {

constexpr bool is_space(std::uint8_t byte) {
    return byte == ' ' || (byte >= 0x09 && byte <= 0x0D) || (byte >= 0x1C && byte <= 0x1F);
}

constexpr std::array<std::uint8_t, 256> make_visible() {
    std::array<std::uint8_t, 256> visible{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        visible[byte] = is_space(static_cast<std::uint8_t>(byte)) ? 0 : 1;
    }
    return visible;
}

constexpr std::array<std::uint8_t, 256> kVisible = make_visible();

}  // namespace

ByteTokens::ByteTokens(std::string_view document, TokenBuffer& buffer, Case letters)
    : buffer_(buffer),
      bytes_(new std::uint8_t[lower_room(document.size())]),
      written_(write_in_case(letters, document, bytes_.get())) {
    buffer_.clear();
    buffer_.reserve(2 * kStretchBytes, kStretchBytes);
}

bool ByteTokens::next() {
    const std::size_t end = written_.value_or(0);
    std::uint8_t* to = buffer_.bytes.get();
    std::uint32_t offset = 0;
    std::size_t tokens = 0;
    for (; at_ < end && tokens < kStretchBytes; ++at_) {
        const std::uint8_t byte = bytes_[at_];
        if (is_space(byte)) continue;
        buffer_.starts[tokens] = offset;
        if (byte < 0x80) {
            to[offset++] = byte;
        } else {
            to[offset++] = static_cast<std::uint8_t>(0xC0 | (byte >> 6));
            to[offset++] = static_cast<std::uint8_t>(0x80 | (byte & 0x3F));
        }
        buffer_.ends[tokens++] = offset;
    }
    buffer_.bytes_size = offset;
    buffer_.starts_size = buffer_.ends_size = tokens;
    return tokens != 0;
}

std::span<const std::uint8_t> ByteTokens::next_bytes() {
    // Locals, since a byte that is written might lie in a member for all the compiler knows.
    std::uint8_t* const bytes = bytes_.get();
    const std::size_t end = written_.value_or(0);
    const simd::DropSpace drop_space = simd::cut_kernels(simd::active_level()).drop_space;
    std::size_t at = at_;
    std::size_t begin = at;
    std::size_t to = at;
    while (to == begin && at < end) {
        begin = to = at;
        const std::size_t stop = std::min(end, at + kStretchBytes);
        const std::size_t blocks = (stop - at) / 64;
        to += drop_space(bytes + at, blocks, bytes + to);
        at += 64 * blocks;
        // Without a branch: white space is overwritten by what follows it.
        for (; at < stop; ++at) {
            const std::uint8_t byte = bytes[at];
            bytes[to] = byte;
            to += kVisible[byte];
        }
    }
    at_ = at;
    return {bytes + begin, to - begin};
}

bool is_ascii(std::string_view document) {
    constexpr std::size_t kSome = 256;  // Then it is asked whether all were ASCII so far.
    std::uint64_t seen = 0;
    const char* at = document.data();
    std::size_t left = document.size();
    for (; left >= kSome; at += kSome, left -= kSome) {
        for (std::size_t i = 0; i < kSome; i += sizeof seen) {
            std::uint64_t word = 0;
            std::memcpy(&word, at + i, sizeof word);
            seen |= word;
        }
        if ((seen & 0x8080808080808080ULL) != 0) return false;
    }
    for (; left >= sizeof seen; at += sizeof seen, left -= sizeof seen) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        seen |= word;
    }
    for (; left != 0; ++at, --left) seen |= static_cast<unsigned char>(*at);
    return (seen & 0x8080808080808080ULL) == 0;
}

}  // namespace dsir::text
