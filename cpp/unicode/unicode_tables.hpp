#pragma once

#include <cstdint>

namespace dsir::unicode {

/// The class of a character in the regular expression \w+|[^\w\s]+.
enum class Kind : std::uint8_t { space = 0, word = 1, punctuation = 2 };

/// What the tokenizers need to know about one code point.
struct CharacterProperties {
    std::int32_t lower_delta;     ///< lower case = code point + lower_delta, unless `special`
    std::uint8_t kind;            ///< a Kind, of the lower-cased character
    std::uint8_t case_ignorable;  ///< skipped when the neighbours of a capital sigma are looked at
    std::uint8_t cased;           ///< has case, and is not case-ignorable
    std::uint8_t special : 1;     ///< U+0130 and U+03A3, whose lower case takes code
    std::uint8_t decimal : 1;     ///< \d in regular expressions: a decimal digit of any script
};

static_assert(sizeof(CharacterProperties) == 8);

/// The Unicode version of the tables. It is part of the file format of every model.
extern const char* const kUnicodeVersion;

// A table in two stages: kProperties[kSecondStage[kFirstStage[c >> 7] << 7 | (c & 127)]].
extern const CharacterProperties kProperties[];
extern const std::uint16_t kFirstStage[];
extern const std::uint8_t kSecondStage[];

/// The properties of a code point, which must be below U+110000 (this is not checked).
inline const CharacterProperties& properties_of(char32_t code_point) {
    const unsigned block = kFirstStage[code_point >> 7];
    return kProperties[kSecondStage[(block << 7) | (code_point & 127)]];
}

}  // namespace dsir::unicode
