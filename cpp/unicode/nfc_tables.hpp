#pragma once

#include <cstddef>
#include <cstdint>

/// What Normalization Form C takes, in the version unicode::kUnicodeVersion. Hangul syllables are
/// computed and are not in the tables of decompositions and compositions.
namespace dsir::unicode {

/// Whether a character can occur in NFC: the property NFC_Quick_Check.
enum class NfcCheck : std::uint8_t { yes = 0, maybe = 1, no = 2 };

struct NfcProperties {
    std::uint8_t combining_class;  ///< 0 for characters that are not reordered
    NfcCheck check;

    /// Whether NFC leaves the character as it is, whatever is before it.
    bool sure() const { return combining_class == 0 && check == NfcCheck::yes; }
};

// A table in two stages: kNfcProperties[kNfcSecondStage[kNfcFirstStage[c >> 7] << 7 | (c & 127)]].
extern const NfcProperties kNfcProperties[];
extern const std::uint16_t kNfcFirstStage[];
extern const std::uint8_t kNfcSecondStage[];

// Full canonical decompositions: character i, in ascending order, becomes the parts from
// kDecompositionStarts[i] up to kDecompositionStarts[i + 1].
extern const std::size_t kDecompositions;
extern const char32_t kDecomposed[];
extern const std::uint16_t kDecompositionStarts[];
extern const char32_t kDecompositionParts[];

// Primary composites: the pair first << 32 | second, in ascending order, becomes kComposites[i].
extern const std::size_t kCompositions;
extern const std::uint64_t kComposedPairs[];
extern const char32_t kComposites[];

/// The properties of a code point, which must be below U+110000 (this is not checked).
inline NfcProperties nfc_properties_of(char32_t code_point) {
    const unsigned block = kNfcFirstStage[code_point >> 7];
    return kNfcProperties[kNfcSecondStage[(block << 7) | (code_point & 127)]];
}

}  // namespace dsir::unicode
