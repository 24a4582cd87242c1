#pragma once

#include <cstdint>

/// The classes of Unicode Standard Annex 29 (text segmentation), in the version
/// unicode::kUnicodeVersion, of the lower-cased characters: a text and the text in lower case have
/// the same boundaries.
namespace dsir::unicode {

/// The property Word_Break. All white space is one class here, and so are Extend and Format.
enum class WordBreak : std::uint8_t {
    other,
    space,       ///< str.isspace()
    other_word,  ///< str.isalnum(), but joined to nothing: Han, Hiragana, Thai, ...
    letter,
    hebrew,
    number,
    katakana,
    connector,  ///< ExtendNumLet
    mid_letter,
    mid_number,
    mid_both,
    single_quote,
    double_quote,
    extend,
    joiner,  ///< ZWJ
};

/// The property Grapheme_Cluster_Break.
enum class GraphemeBreak : std::uint8_t {
    other,
    control,
    extend,
    joiner,  ///< ZWJ
    spacing_mark,
    prepend,
    regional,
    hangul_l,
    hangul_v,
    hangul_t,
    hangul_lv,
    hangul_lvt,
};

struct SegmentProperties {
    WordBreak word;
    GraphemeBreak grapheme;
    bool pictographic;  ///< Extended_Pictographic
};

// A table in two stages, like kProperties.
extern const SegmentProperties kSegmentProperties[];
extern const std::uint16_t kSegmentFirstStage[];
extern const std::uint8_t kSegmentSecondStage[];

/// The properties of a code point, which must be below U+110000 (this is not checked).
inline const SegmentProperties& segment_properties_of(char32_t code_point) {
    const unsigned block = kSegmentFirstStage[code_point >> 7];
    return kSegmentProperties[kSegmentSecondStage[(block << 7) | (code_point & 127)]];
}

}  // namespace dsir::unicode
