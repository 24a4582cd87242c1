#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/python.hpp"
#include "text/normalizer.hpp"
#include "text/tokenizers.hpp"

namespace dsir::bindings {

/// The kind of the tokenizer that has this name. If none has, throws std::invalid_argument with the
/// names that exist.
inline text::TokenizerKind tokenizer_kind(std::string_view name) {
    const std::optional<text::TokenizerKind> kind = text::tokenizer_named(name);
    if (kind) return *kind;
    std::string names;
    std::size_t place = 0;
    text::visit_tokenizers([&](const auto& entry) {
        if (++place > 1) names += place == text::kTokenizerCount ? " or " : ", ";
        names += "'" + std::string(entry.name) + "'";
    });
    throw std::invalid_argument("tokenizer must be " + names);
}

/// How documents are cut by the tokenizer of this name, or by the kernel at an address other than
/// 0.
inline text::Cutting cutting_of(std::string_view tokenizer, bool lower, std::uintptr_t kernel) {
    return {tokenizer_kind(tokenizer), lower ? text::Case::lower : text::Case::as_written,
            reinterpret_cast<text::TokenizerKernel>(kernel)};
}

/// The form of this name, or as_is for None.
inline text::Form form_of(const std::optional<std::string>& normalize) {
    const std::optional<text::Form> form = text::form_named(normalize.value_or(""));
    require(form.has_value(), "normalize must be None, 'NFC' or 'NFKC'");
    return *form;
}

}  // namespace dsir::bindings
