#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simd/cut.hpp"
#include "unicode/normal_form_tables.hpp"

namespace dsir::text {

/// What happens to a document before a tokenizer sees it.
enum class Form : std::uint8_t {
    as_is,
    nfc,   ///< Unicode Normalization Form C
    nfkc,  ///< Unicode Normalization Form KC
};

/// The form of this name ("" for as_is), or nothing if there is none.
inline std::optional<Form> form_named(std::string_view name) {
    if (name.empty()) return Form::as_is;
    if (name == "NFC") return Form::nfc;
    if (name == "NFKC") return Form::nfkc;
    return std::nullopt;
}

/// Brings documents into Unicode Normalization Form C or KC, as unicodedata.normalize(form, text)
/// does (version: unicode::kUnicodeVersion).
///
/// Most characters stay as they are whatever is around them, and a kernel passes over blocks that
/// hold no others. Only runs of the others, each with the character before it, are composed, and
/// only a document that changes is copied. A character that changes but joins nothing before it
/// begins a run of its own. The time is linear in the document, except that n combining marks in a
/// row are sorted (n log n). Form KC makes a text at most 11 times as long.
///
/// Reuse one object for many documents. Not thread-safe.
class Normalizer {
  public:
    /// A piece of the document that is another one in the form. It begins and ends with characters;
    /// what lies between two pieces is the same in both texts.
    struct Change {
        std::uint32_t begin;  ///< in the document, in bytes
        std::uint32_t end;
        std::uint32_t new_begin;  ///< in the text in the form
        std::uint32_t new_end;
    };

    /// `form` must not be as_is.
    explicit Normalizer(Form form, bool keep_changes = false);

    /// Returns a document of up to 2 GiB in the form: the document itself, if it is in the form
    /// already or not UTF-8, or a text that lasts until the next call. A text that would be longer
    /// than kLargestDocument is nothing.
    std::optional<std::string_view> operator()(std::string_view document);

    /// What changed in the last document, in order. Empty unless changes are kept.
    const std::vector<Change>& changes() const { return changes_; }

  private:
    struct Character {
        char32_t code_point;
        std::uint8_t combining_class;
    };

    const std::uint8_t* take_run(const std::uint8_t* at, unicode::NormalProperties properties_at);
    void decompose(const std::uint8_t* begin, const std::uint8_t* end);
    void compose();
    void put(char32_t code_point);
    void replace(const std::uint8_t* begin, const std::uint8_t* end);

    simd::PassSure pass_sure_;
    const unicode::NormalForm& tables_;
    bool keep_changes_;
    const std::uint8_t* begin_ = nullptr;
    const std::uint8_t* end_ = nullptr;
    const std::uint8_t* copied_ = nullptr;  ///< up to here the document is in `text_`
    std::string text_;                      ///< empty as long as nothing has changed
    std::vector<Character> run_;
    std::string composed_;
    std::vector<Change> changes_;
};

}  // namespace dsir::text
