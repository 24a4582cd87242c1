#pragma once

#include <cstddef>
#include <cstdint>

/// What the Normalization Forms C and KC take, in the version unicode::kUnicodeVersion. Hangul
/// syllables are computed and are not in the tables of decompositions and compositions.
namespace dsir::unicode {

/// Whether a character can occur in a form: the properties NFC_Quick_Check and NFKC_Quick_Check.
enum class QuickCheck : std::uint8_t { yes = 0, maybe = 1, no = 2 };

struct NormalProperties {
    std::uint8_t combining_class;  ///< 0 for characters that are not reordered
    QuickCheck check;
    bool begins;  ///< whether nothing that the character becomes joins what is before it

    /// Whether the form leaves the character as it is, whatever is before it.
    bool sure() const { return combining_class == 0 && check == QuickCheck::yes; }
};

/// The tables of one form.
struct NormalForm {
    // In two stages: properties[second_stage[first_stage[c >> 7] << 7 | (c & 127)]].
    const NormalProperties* properties;
    const std::uint16_t* first_stage;
    const std::uint8_t* second_stage;

    // Full decompositions: character i, in ascending order, becomes the parts from
    // decomposition_starts[i] up to decomposition_starts[i + 1].
    std::size_t decompositions;
    const char32_t* decomposed;
    const std::uint16_t* decomposition_starts;
    const char32_t* decomposition_parts;

    /// The properties of a code point, which must be below U+110000 (this is not checked).
    NormalProperties properties_of(char32_t code_point) const {
        const unsigned block = first_stage[code_point >> 7];
        return properties[second_stage[(block << 7) | (code_point & 127)]];
    }
};

extern const NormalForm kFormC;   ///< by canonical decompositions
extern const NormalForm kFormKc;  ///< by compatibility decompositions

// Primary composites, of both forms: the pair first << 32 | second, in ascending order, becomes
// kComposites[i].
extern const std::size_t kCompositions;
extern const std::uint64_t kComposedPairs[];
extern const char32_t kComposites[];

}  // namespace dsir::unicode
