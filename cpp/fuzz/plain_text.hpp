#pragma once

// The tokenizers' answers, found in a slow and plain way, character by character. The targets
// compare the real tokenizers with them. Only the Unicode tables are shared.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicode/unicode_tables.hpp"

namespace dsir::fuzz {

/// A code point and its place in the text.
struct Character {
    char32_t code_point;
    std::size_t begin;
    std::size_t end;
};

/// The characters of a text, or nothing if the text is not UTF-8.
inline std::optional<std::vector<Character>> characters_of(std::string_view text) {
    std::vector<Character> found;
    for (std::size_t at = 0; at < text.size();) {
        const auto lead = static_cast<std::uint8_t>(text[at]);
        const std::size_t length = lead < 0x80           ? 1
                                   : (lead >> 5) == 0x06 ? 2
                                   : (lead >> 4) == 0x0E ? 3
                                   : (lead >> 3) == 0x1E ? 4
                                                         : 0;
        if (length == 0 || text.size() - at < length) return std::nullopt;
        char32_t value = length == 1 ? lead : lead & (0x7FU >> length);
        for (std::size_t i = 1; i < length; ++i) {
            const auto byte = static_cast<std::uint8_t>(text[at + i]);
            if ((byte >> 6) != 2) return std::nullopt;
            value = (value << 6) | (byte & 0x3FU);
        }
        constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
        if (value < kLeast[length] || value > 0x10FFFF) return std::nullopt;
        if (value >= 0xD800 && value <= 0xDFFF) return std::nullopt;
        found.push_back({value, at, at + length});
        at += length;
    }
    return found;
}

inline std::string encoded(char32_t c) {
    std::string bytes;
    const auto put = [&bytes](char32_t byte) { bytes += static_cast<char>(byte); };
    if (c < 0x80) {
        put(c);
    } else if (c < 0x800) {
        put(0xC0 | (c >> 6));
        put(0x80 | (c & 63));
    } else if (c < 0x10000) {
        put(0xE0 | (c >> 12));
        put(0x80 | ((c >> 6) & 63));
        put(0x80 | (c & 63));
    } else {
        put(0xF0 | (c >> 18));
        put(0x80 | ((c >> 12) & 63));
        put(0x80 | ((c >> 6) & 63));
        put(0x80 | (c & 63));
    }
    return bytes;
}

inline unicode::Kind kind_of(char32_t c) {
    return unicode::Kind{unicode::properties_of(c).kind};
}

/// Whether a capital sigma comes after a cased character and before none, with case-ignorable
/// characters skipped.
inline bool is_final(const std::vector<Character>& text, std::size_t at) {
    const auto cased = [&text](std::size_t i) {
        return unicode::properties_of(text[i].code_point).cased != 0;
    };
    const auto ignorable = [&text](std::size_t i) {
        return unicode::properties_of(text[i].code_point).case_ignorable != 0;
    };
    std::size_t before = at;
    while (before > 0 && ignorable(before - 1)) --before;
    if (before == 0 || !cased(before - 1)) return false;
    std::size_t after = at + 1;
    while (after < text.size() && ignorable(after)) ++after;
    return after == text.size() || !cased(after);
}

/// A lower-cased character and the character it comes from.
struct Lowered {
    char32_t code_point;
    unicode::Kind kind;
    std::size_t from;
    bool second;  ///< the second of the two characters that U+0130 becomes
};

inline std::vector<Lowered> lowered_of(const std::vector<Character>& text) {
    std::vector<Lowered> out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char32_t c = text[i].code_point;
        const auto put = [&](char32_t lower, bool second = false) {
            out.push_back({lower, kind_of(lower), i, second});
        };
        if (c == 0x130) {
            put('i');
            put(0x307, true);
        } else if (c == 0x3A3) {
            put(is_final(text, i) ? 0x3C2 : 0x3C3);
        } else {
            put(static_cast<char32_t>(static_cast<std::int32_t>(c) +
                                      unicode::properties_of(c).lower_delta));
        }
    }
    return out;
}

/// The bytes [begin, end) of a text.
struct Place {
    std::size_t begin;
    std::size_t end;
    bool operator==(const Place&) const = default;
};

struct PlainTokens {
    std::vector<std::string> tokens;
    /// The places of the tokens. A token that begins inside a character belongs to the place
    /// before.
    std::vector<Place> places;
};

/// The runs of \w+|[^\w\s]+ in the lower-cased text.
inline PlainTokens wordpunct_tokens(const std::vector<Character>& text) {
    PlainTokens out;
    unicode::Kind open = unicode::Kind::space;
    for (const Lowered& one : lowered_of(text)) {
        if (one.kind != unicode::Kind::space) {
            if (one.kind != open) {
                out.tokens.emplace_back();
                if (!one.second) out.places.push_back({text[one.from].begin, 0});
            }
            out.tokens.back() += encoded(one.code_point);
            out.places.back().end = text[one.from].end;
        }
        open = one.kind;
    }
    return out;
}

/// Whether the places ascend, are not empty, do not overlap, consist of whole characters, and cover
/// all characters except white space.
inline bool cover(const std::vector<Place>& places, const std::vector<Character>& text) {
    std::size_t next = 0;  // place
    bool inside = false;
    for (const Character& one : text) {
        if (!inside && next < places.size() && places[next].begin == one.begin) inside = true;
        if (!inside && kind_of(one.code_point) != unicode::Kind::space) return false;
        if (inside && places[next].end < one.end) return false;
        if (inside && places[next].end == one.end) {
            inside = false;
            ++next;
        }
    }
    return !inside && next == places.size();
}

}  // namespace dsir::fuzz
