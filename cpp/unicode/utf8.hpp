#pragma once

#include <cstddef>
#include <cstdint>

namespace dsir::unicode {

/// One decoded code point. `length` is its number of bytes, or 0 if the bytes are not UTF-8.
struct Decoded {
    char32_t code_point;
    unsigned length;
};

/// Decodes the code point at `at`, which must be before `end`. Applies every rule of the standard:
/// no overlong forms, no surrogates, nothing above U+10FFFF, no truncated sequence.
inline Decoded decode_utf8(const std::uint8_t* at, const std::uint8_t* end) {
    const auto continuation = [](std::uint8_t byte) { return (byte & 0xC0) == 0x80; };
    const std::uint8_t b0 = at[0];
    if (b0 < 0x80) return {b0, 1};
    const std::ptrdiff_t left = end - at;
    if (b0 >= 0xE0 && b0 < 0xF0) {
        if (left < 3 || !continuation(at[1]) || !continuation(at[2])) return {0, 0};
        const char32_t c =
            (char32_t(b0 & 0x0F) << 12) | (char32_t(at[1] & 0x3F) << 6) | char32_t(at[2] & 0x3F);
        if (c < 0x800 || (c >= 0xD800 && c < 0xE000)) return {0, 0};
        return {c, 3};
    }
    if (b0 >= 0xC2 && b0 < 0xE0) {
        if (left < 2 || !continuation(at[1])) return {0, 0};
        return {(char32_t(b0 & 0x1F) << 6) | char32_t(at[1] & 0x3F), 2};
    }
    if (b0 >= 0xF0 && b0 < 0xF5) {
        if (left < 4 || !continuation(at[1]) || !continuation(at[2]) || !continuation(at[3])) {
            return {0, 0};
        }
        const char32_t c = (char32_t(b0 & 0x07) << 18) | (char32_t(at[1] & 0x3F) << 12) |
                           (char32_t(at[2] & 0x3F) << 6) | char32_t(at[3] & 0x3F);
        if (c < 0x10000 || c > 0x10FFFF) return {0, 0};
        return {c, 4};
    }
    return {0, 0};
}

/// The code point that ends right before `at`. The text from `begin` to `at` must be known to be
/// UTF-8.
inline Decoded decode_utf8_before(const std::uint8_t* begin, const std::uint8_t* at) {
    const std::uint8_t* start = at - 1;
    while (start > begin && (*start & 0xC0) == 0x80) --start;
    return decode_utf8(start, at);
}

/// Writes a code point as UTF-8 and returns the number of bytes written, 1 to 4.
inline unsigned encode_utf8(char32_t c, std::uint8_t* out) {
    if (c < 0x80) {
        out[0] = static_cast<std::uint8_t>(c);
        return 1;
    }
    if (c < 0x800) {
        out[0] = static_cast<std::uint8_t>(0xC0 | (c >> 6));
        out[1] = static_cast<std::uint8_t>(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = static_cast<std::uint8_t>(0xE0 | (c >> 12));
        out[1] = static_cast<std::uint8_t>(0x80 | ((c >> 6) & 0x3F));
        out[2] = static_cast<std::uint8_t>(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = static_cast<std::uint8_t>(0xF0 | (c >> 18));
    out[1] = static_cast<std::uint8_t>(0x80 | ((c >> 12) & 0x3F));
    out[2] = static_cast<std::uint8_t>(0x80 | ((c >> 6) & 0x3F));
    out[3] = static_cast<std::uint8_t>(0x80 | (c & 0x3F));
    return 4;
}

}  // namespace dsir::unicode
