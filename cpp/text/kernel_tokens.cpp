#include "text/kernel_tokens.hpp"

#include <cstring>
#include <string>

namespace dsir::text {
namespace {

constexpr std::size_t kRoom = SpanBuffer::kMost;

constexpr std::uint64_t kEach = 0x0101010101010101;

/// Lower-cases eight ASCII bytes.
std::uint64_t lower_ascii(std::uint64_t eight) {
    // No sum carries into the next byte, because all bytes are below 128.
    const std::uint64_t from_a = eight + kEach * (128 - 'A');
    const std::uint64_t past_z = eight + kEach * (128 - 'Z' - 1);
    const std::uint64_t capitals = from_a & ~past_z & (kEach * 128);
    return eight | (capitals >> 2);
}

/// Writes a token in lower case and returns its bytes. Up to 8 bytes more are written. `readable`
/// bytes can be read from the token's first.
std::size_t write_lower(std::string_view token, std::size_t readable, std::uint8_t* out) {
    const std::size_t whole = (token.size() + 7) / 8 * 8;
    if (whole > readable) return lower(token, out).value_or(0);
    std::uint64_t high = 0;
    for (std::size_t at = 0; at < whole; at += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, token.data() + at, 8);
        const std::size_t left = token.size() - at;
        if (left < 8) eight &= (std::uint64_t{1} << (8 * left)) - 1;  // little-endian
        high |= eight;
        eight = lower_ascii(eight & ~(kEach * 128));
        std::memcpy(out + at, &eight, 8);
    }
    if ((high & (kEach * 128)) != 0) return lower(token, out).value_or(0);
    return token.size();
}

/// Writes a token as it is. Up to 8 bytes more are written.
std::size_t write_as_is(std::string_view token, std::size_t readable, std::uint8_t* out) {
    const std::size_t whole = (token.size() + 7) / 8 * 8;
    if (whole > readable) {
        std::memcpy(out, token.data(), token.size());
    } else {
        for (std::size_t at = 0; at < whole; at += 8) std::memcpy(out + at, token.data() + at, 8);
    }
    return token.size();
}

[[noreturn]] void refuse(std::size_t token, const std::string& what) {
    throw KernelError("the tokenizer kernel: token " + std::to_string(token) + " of a call " +
                      what);
}

}  // namespace

KernelTokens::KernelTokens(std::string_view document, TokenBuffer& buffer, TokenizerKernel kernel,
                           Case letters)
    : document_(document),
      buffer_(buffer),
      kernel_(kernel),
      letters_(letters),
      valid_(is_utf8(document)) {
    buffer_.clear();
}

bool KernelTokens::next() {
    buffer_.clear();
    const std::size_t tokens = valid_ ? ask() : 0;
    if (tokens == 0) return false;
    write(tokens);
    return true;
}

/// Calls the kernel, checks the places, and returns their number.
std::size_t KernelTokens::ask() {
    const auto size = static_cast<std::uint32_t>(document_.size());
    if (at_ == size) return 0;
    const std::int64_t found =
        kernel_(reinterpret_cast<const std::uint8_t*>(document_.data()), std::int64_t{size}, at_,
                places_.starts.data(), places_.ends.data(), static_cast<std::int64_t>(kRoom));
    if (found < 0) throw KernelError("the tokenizer kernel raised an exception");
    if (found > static_cast<std::int64_t>(kRoom)) {
        throw KernelError("the tokenizer kernel returned " + std::to_string(found) +
                          " tokens, but there is room for " + std::to_string(kRoom));
    }
    const auto tokens = static_cast<std::size_t>(found);
    const auto inside = [this, size](std::uint32_t at) {
        return at < size && (static_cast<std::uint8_t>(document_[at]) & 0xC0) == 0x80;
    };
    std::uint32_t before = at_;
    for (std::size_t k = 0; k < tokens; ++k) {
        const std::uint32_t start = places_.starts[k];
        const std::uint32_t end = places_.ends[k];
        if (start < before || end <= start || end > size) {
            refuse(k, "is the bytes " + std::to_string(start) + " to " + std::to_string(end) +
                          ", which must lie in order, from " + std::to_string(before) + " to " +
                          std::to_string(size));
        }
        if (inside(start) || inside(end)) {
            refuse(k, "begins or ends inside a character, at bytes " + std::to_string(start) +
                          " to " + std::to_string(end));
        }
        before = end;
    }
    at_ = before;
    return tokens;
}

/// Writes so many tokens into the buffer.
void KernelTokens::write(std::size_t tokens) {
    const std::size_t span = places_.ends[tokens - 1] - places_.starts[0];
    buffer_.reserve(lower_room(span) + 64, tokens);
    std::uint8_t* const bytes = buffer_.bytes.get();
    std::size_t offset = 0;
    for (std::size_t k = 0; k < tokens; ++k) {
        const std::string_view token =
            document_.substr(places_.starts[k], places_.ends[k] - places_.starts[k]);
        const std::size_t readable = document_.size() - places_.starts[k];
        buffer_.starts[k] = static_cast<std::uint32_t>(offset);
        offset += letters_ == Case::lower ? write_lower(token, readable, bytes + offset)
                                          : write_as_is(token, readable, bytes + offset);
        buffer_.ends[k] = static_cast<std::uint32_t>(offset);
    }
    buffer_.bytes_size = offset;
    buffer_.starts_size = buffer_.ends_size = tokens;
}

}  // namespace dsir::text
