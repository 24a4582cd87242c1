#pragma once

#include <cstdint>

namespace dsir::unicode {

/// Class of a character as the regular expression \w+|[^\w\s]+ sees it.
enum class Kind : std::uint8_t { space = 0, word = 1, punctuation = 2 };

/// What the tokenisers need to know of one code point.
struct CharacterProperties {
    std::int32_t lower_delta;     ///< lower case = code point + lower_delta, unless `special`
    std::uint8_t kind;            ///< a Kind, of the lower-cased character
    std::uint8_t case_ignorable;  ///< skipped when the context of a capital sigma is looked for
    std::uint8_t cased;           ///< has case, and is not case-ignorable
    std::uint8_t special : 1;     ///< U+0130 and U+03A3: lower-casing needs code
    std::uint8_t decimal : 1;     ///< \d of regular expressions: a decimal digit of any script
};

static_assert(sizeof(CharacterProperties) == 8);

/// The Unicode version of the tables. Part of the file format of every model.
extern const char* const kUnicodeVersion;

// Two-stage table: kProperties[kSecondStage[kFirstStage[c >> 7] << 7 | (c & 127)]].
extern const CharacterProperties kProperties[];
extern const std::uint16_t kFirstStage[];
extern const std::uint8_t kSecondStage[];

/// Properties of a code point. The caller guarantees that it is below U+110000.
inline const CharacterProperties& properties_of(char32_t code_point) {
    const unsigned block = kFirstStage[code_point >> 7];
    return kProperties[kSecondStage[(block << 7) | (code_point & 127)]];
}

}  // namespace dsir::unicode
