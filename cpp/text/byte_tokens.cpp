#include "text/byte_tokens.hpp"

namespace dsir::text {

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
        if (byte == ' ' || (byte >= 0x09 && byte <= 0x0D) || (byte >= 0x1C && byte <= 0x1F)) {
            continue;
        }
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

}  // namespace dsir::text
