#include "json/text_field.hpp"

#include <cstring>

#include "unicode/utf8.hpp"

namespace dsir::json {
namespace {

bool is_space(unsigned byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

bool is_digit(unsigned byte) {
    return byte - '0' < 10;
}

/// The value of a hexadecimal digit, or a number above 15 if the byte is none.
unsigned hex_digit(unsigned byte) {
    if (is_digit(byte)) return byte - '0';
    const unsigned letter = (byte | 0x20U) - 'a';
    return letter < 6 ? letter + 10 : 16;
}

/// The value of four hexadecimal digits, or a number above 0xFFFF if a byte is none.
char32_t four_digits(const std::uint8_t* at) {
    char32_t number = 0;
    unsigned bad = 0;
    for (int i = 0; i < 4; ++i) {
        const unsigned digit = hex_digit(at[i]);
        bad |= digit & 16U;
        number = number << 4 | (digit & 15U);
    }
    return bad != 0 ? 0x10000 : number;
}

/// The character for a letter after a backslash, or 0 if there is none. Not for 'u'.
std::uint8_t escaped(unsigned letter) {
    switch (letter) {
        case '"':
        case '\\':
        case '/':
            return static_cast<std::uint8_t>(letter);
        case 'b':
            return '\b';
        case 'f':
            return '\f';
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return 0;
    }
}

bool is_high_surrogate(char32_t c) {
    return c >= 0xD800 && c < 0xDC00;
}

bool is_low_surrogate(char32_t c) {
    return c >= 0xDC00 && c < 0xE000;
}

}  // namespace

LineKind TextFieldReader::read(const std::uint8_t* at, const std::uint8_t* end,
                               std::uint8_t*& out) {
    at_ = at;
    end_ = end;
    out_ = out;
    skip_spaces();
    if (!skip_exactly('{') || !read_object(0)) return LineKind::look_again;
    skip_spaces();
    if (at_ != end_) return LineKind::look_again;
    if (found_ == LineKind::text) out = out_;
    return found_;
}

/// Reads the members of an object on the way to the text. Its opening brace has just been read.
bool TextFieldReader::read_object(std::size_t level) {
    bool found = false;
    do {
        skip_spaces();
        bool is_wanted = false;
        // An object without members has no text either.
        if (!read_name(path_[level], is_wanted)) return false;
        if (is_wanted) {
            if (found || !read_member(level)) return false;
            found = true;
        } else if (!skip_value()) {
            return false;
        }
        skip_spaces();
    } while (skip_exactly(','));
    return skip_exactly('}') && found;
}

/// Reads the value that is the text or contains it.
bool TextFieldReader::read_member(std::size_t level) {
    if (peek() == 'n') {
        found_ = LineKind::null;
        return skip_literal();
    }
    if (level + 1 < path_.size()) {
        return level + 1 < kMostNames && skip_exactly('{') && read_object(level + 1);
    }
    found_ = LineKind::text;
    return skip_exactly('"') && copy_string();
}

/// Reads a member's name and everything up to its value.
bool TextFieldReader::read_name(const std::string& wanted, bool& is_wanted) {
    const std::uint8_t* const quote = at_;
    if (!skip_name()) return false;
    const std::uint8_t* const name = quote + 1;
    // The name ends at its quote; spaces and the colon follow.
    const auto most = static_cast<std::size_t>(at_ - name);
    const std::size_t size = wanted.size();
    const std::uint8_t* const backslash =
        static_cast<const std::uint8_t*>(std::memchr(name, '\\', most));
    if (backslash == nullptr) {
        is_wanted = most > size && name[size] == '"' && std::memcmp(name, wanted.data(), size) == 0;
        return true;
    }
    const std::uint8_t* const value = at_;
    std::uint8_t* const text = out_;
    name_.resize(most + simd::kJsonSlack);
    at_ = name;
    out_ = name_.data();
    const bool copied = copy_string();
    is_wanted = copied && static_cast<std::size_t>(out_ - name_.data()) == size &&
                std::memcmp(name_.data(), wanted.data(), size) == 0;
    at_ = value;
    out_ = text;
    return copied;
}

/// Copies the string whose opening quote has just been read.
bool TextFieldReader::copy_string() {
    std::uint8_t* const begin = out_;
    bool beyond_ascii = false;
    for (;;) {
        const std::uint8_t* const stop = kernels_.copy(at_, end_, out_, beyond_ascii);
        out_ += stop - at_;
        at_ = stop;
        const unsigned byte = peek();
        if (byte == '"') break;
        if (byte != '\\') return false;
        // A text that consists of escapes (\u4e2d\u6587) does not leave this loop.
        while (peek() == '\\') {
            if (!unescape()) return false;
        }
    }
    ++at_;
    // An escape gives a whole character, so only the line's own bytes beyond ASCII can be invalid.
    return !beyond_ascii || kernels_.valid_utf8(begin, out_);
}

/// Writes the character that the escape at `at_` stands for.
bool TextFieldReader::unescape() {
    if (end_ - at_ < 2) return false;
    if (at_[1] != 'u') {
        const std::uint8_t character = escaped(at_[1]);
        *out_ = character;
        ++out_;
        at_ += 2;
        return character != 0;
    }
    if (end_ - at_ < 6) return false;
    char32_t character = four_digits(at_ + 2);
    at_ += 6;
    if (character > 0xFFFF || is_low_surrogate(character)) return false;
    if (is_high_surrogate(character)) {
        if (end_ - at_ < 6 || at_[0] != '\\' || at_[1] != 'u') return false;
        const char32_t low = four_digits(at_ + 2);
        if (!is_low_surrogate(low)) return false;
        character = 0x10000 + ((character - 0xD800) << 10 | (low - 0xDC00));
        at_ += 6;
    }
    out_ += unicode::encode_utf8(character, out_);
    return true;
}

/// Skips a value of any kind and depth.
bool TextFieldReader::skip_value() {
    in_object_.clear();
    for (;;) {
        bool opened = false;
        switch (peek()) {
            case '"':
                if (!skip_string()) return false;
                break;
            case '{':
            case '[':
                in_object_.push_back(peek() == '{');
                ++at_;
                opened = true;
                break;
            case 't':
            case 'f':
            case 'n':
                if (!skip_literal()) return false;
                break;
            default:
                if (!skip_number()) return false;
        }
        // Closes the objects and arrays that end here, up to the beginning of the next value.
        for (;;) {
            if (in_object_.empty()) return true;
            skip_spaces();
            const bool object = in_object_.back();
            if (skip_exactly(object ? '}' : ']')) {
                in_object_.pop_back();
                opened = false;
                continue;
            }
            if (!opened && !skip_exactly(',')) return false;
            skip_spaces();
            if (object && !skip_name()) return false;
            break;
        }
    }
}

bool TextFieldReader::skip_string() {
    ++at_;
    const std::uint8_t* const begin = at_;
    bool beyond_ascii = false;
    for (;;) {
        at_ = kernels_.skip(at_, end_, beyond_ascii);
        const unsigned byte = peek();
        if (byte == '"') break;
        if (byte != '\\' || !skip_escape()) return false;
    }
    ++at_;
    return !beyond_ascii || kernels_.valid_utf8(begin, at_);
}

bool TextFieldReader::skip_escape() {
    if (end_ - at_ < 2) return false;
    if (at_[1] != 'u') {
        const bool known = escaped(at_[1]) != 0;
        at_ += 2;
        return known;
    }
    if (end_ - at_ < 6 || four_digits(at_ + 2) > 0xFFFF) return false;
    at_ += 6;
    return true;
}

/// Skips a name, its colon and the spaces around the colon.
bool TextFieldReader::skip_name() {
    if (peek() != '"' || !skip_string()) return false;
    skip_spaces();
    if (!skip_exactly(':')) return false;
    skip_spaces();
    return true;
}

bool TextFieldReader::skip_number() {
    skip_exactly('-');
    const auto skip_digits = [this] {
        const std::uint8_t* const begin = at_;
        while (is_digit(peek())) ++at_;
        return at_ != begin;
    };
    if (!skip_exactly('0') && !skip_digits()) return false;
    if (skip_exactly('.') && !skip_digits()) return false;
    if (peek() == 'e' || peek() == 'E') {
        ++at_;
        if (peek() == '+' || peek() == '-') ++at_;
        return skip_digits();
    }
    return true;
}

bool TextFieldReader::skip_literal() {
    for (const char* const literal : {"true", "false", "null"}) {
        const std::size_t size = std::strlen(literal);
        if (static_cast<std::size_t>(end_ - at_) >= size && std::memcmp(at_, literal, size) == 0) {
            at_ += size;
            return true;
        }
    }
    return false;
}

bool TextFieldReader::skip_exactly(char wanted) {
    if (peek() != static_cast<unsigned char>(wanted)) return false;
    ++at_;
    return true;
}

void TextFieldReader::skip_spaces() {
    while (at_ != end_ && is_space(*at_)) ++at_;
}

}  // namespace dsir::json
