#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "unicode/unicode_tables.hpp"

/// Lower-casing as Python's str.lower() does it: full case mapping, including the two special
/// characters.
namespace dsir::text {

/// Whether the capital sigma at `at` ends a word in the sense of str.lower(): the character before
/// it is cased and the one after it is not. Case-ignorable characters, which may be punctuation,
/// are skipped on both sides. [begin, end) is the document. The cost stays linear in the document,
/// because a run of case-ignorable characters is read only from its two ends.
bool is_final_sigma(const std::uint8_t* begin, const std::uint8_t* at, const std::uint8_t* end);

/// Lowers a character that the tables call `special` and that is at `at` in the document [begin,
/// end). Calls put(code_point, kind) for each character that it becomes.
template <class Put>
void lower_special(char32_t code_point, const std::uint8_t* begin, const std::uint8_t* at,
                   const std::uint8_t* end, Put&& put) {
    if (code_point == 0x130) {
        // LATIN CAPITAL LETTER I WITH DOT ABOVE becomes two characters.
        put(U'i', unicode::Kind::word);
        put(0x307, unicode::Kind{unicode::properties_of(0x307).kind});
    } else {
        put(is_final_sigma(begin, at, end) ? U'ς' : U'σ', unicode::Kind::word);
    }
}

/// The bytes that lower() may write for a document of `document` bytes. Lower-casing turns 2 bytes
/// into at most 3, and blocks of 64 bytes are stored whole.
constexpr std::size_t lower_room(std::size_t document) {
    return document + document / 2 + 64;
}

/// Writes the whole document to `out` in lower case. Returns the number of bytes written, or
/// nothing if the document is not UTF-8. `out` must have lower_room(document.size()) bytes and must
/// not overlap the document.
std::optional<std::size_t> lower(std::string_view document, std::uint8_t* out);

/// Writes the document in lower case with every character where it was. A character that would
/// change its length, or depends on its neighbours, is written as it is, and its place is appended
/// to `left`. Returns whether the document is UTF-8. `out` is as in lower().
bool lower_in_place(std::string_view document, std::uint8_t* out, std::vector<std::uint32_t>& left);

/// Whether the bytes are UTF-8.
bool is_utf8(std::string_view bytes);

}  // namespace dsir::text
