#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "unicode/unicode_tables.hpp"

/// Lower-casing as str.lower() does it: full case mapping, with its two special characters.
namespace dsir::text {

/// Whether the capital sigma at `at` ends a word in the sense of str.lower(): a cased character
/// before it and none after it, case-ignorable ones (which may be punctuation) passed over.
/// Each stretch of case-ignorable characters is looked at from its two ends only, so the cost stays
/// linear in the document, [begin, end).
bool is_final_sigma(const std::uint8_t* begin, const std::uint8_t* at, const std::uint8_t* end);

/// Lowers a character that is `special` in the tables and stands at `at` in the document:
/// calls put(code_point, kind) for each character that it becomes.
template <class Put>
void lower_special(char32_t code_point, const std::uint8_t* begin, const std::uint8_t* at,
                   const std::uint8_t* end, Put&& put) {
    if (code_point == 0x130) {
        // LATIN CAPITAL LETTER I WITH DOT ABOVE is lowered to two characters.
        put(U'i', unicode::Kind::word);
        put(0x307, unicode::Kind{unicode::properties_of(0x307).kind});
    } else {
        put(is_final_sigma(begin, at, end) ? U'ς' : U'σ', unicode::Kind::word);
    }
}

/// Bytes that lower() may write for a document of so many: it makes at most 3 bytes of 2, and
/// stores blocks of 64 whole.
constexpr std::size_t lower_room(std::size_t document) {
    return document + document / 2 + 64;
}

/// Writes a whole document lower-cased to `out`, which has lower_room() bytes and does not overlap
/// it; returns how many bytes that made, nothing where it is not UTF-8.
std::optional<std::size_t> lower(std::string_view document, std::uint8_t* out);

/// Whether the bytes are UTF-8.
bool is_utf8(std::string_view bytes);

}  // namespace dsir::text
