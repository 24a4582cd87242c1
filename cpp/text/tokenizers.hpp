#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "text/byte_tokens.hpp"
#include "text/characters.hpp"
#include "text/kernel_tokens.hpp"
#include "text/letter_case.hpp"
#include "text/split_spaces.hpp"
#include "text/token_buffer.hpp"
#include "text/token_ids.hpp"
#include "text/token_spans.hpp"
#include "text/unicode_words.hpp"
#include "text/whitespace.hpp"
#include "text/word_spans.hpp"
#include "text/word_tokenize.hpp"
#include "text/wordpunct.hpp"
#include "text/written_wordpunct.hpp"

/// The list of all tokenizers. Whatever takes a tokenizer by its kind or its name (n-grams,
/// windows, quality measures, the Python module) uses this file.
///
/// To add a tokenizer, write its classes, add a value to TokenizerKind and an entry to kTokenizers.
/// The tests of the contract (tokenizers_test.cpp) then run over the new tokenizer as well.
namespace dsir::text {

/// Cuts one document into tokens, one stretch at a time, as WordPunct describes. A stretch has at
/// most kStretchTokens tokens, and a token has at least one byte. If the document is not UTF-8,
/// valid() is false once next() has returned false, and the caller discards the tokens.
template <class T>
concept Tokenizer = std::constructible_from<T, std::string_view, TokenBuffer&> && requires(T one) {
    { one.next() } -> std::same_as<bool>;
    { std::as_const(one).valid() } -> std::same_as<bool>;
};

/// Finds where the tokens lie in the document as it is, before lower-casing; WordPunctSpans
/// describes how.
template <class T>
concept TokenSpans = std::constructible_from<T, std::string_view, SpanBuffer&> && requires(T one) {
    { one.next() } -> std::same_as<bool>;
    { std::as_const(one).valid() } -> std::same_as<bool>;
};

/// Stands for the spans of a tokenizer that has none.
struct NoSpans {};

enum class TokenizerKind : std::uint8_t {
    wordpunct,
    word_tokenize,
    split,  ///< takes tokens that were made elsewhere and joined by spaces
    unicode,
    chars,
    codepoints,
    bytes,
    whitespace,
    ids,  ///< takes numbers of tokens, four bytes each
};

/// One tokenizer. `name` is what users call the tokenizer and what model files hold.
template <Tokenizer OwnTokens, class OwnSpans>
    requires TokenSpans<OwnSpans> || std::same_as<OwnSpans, NoSpans>
struct TokenizerEntry {
    using Tokens = OwnTokens;
    using Spans = OwnSpans;
    /// Whether users may choose the tokenizer for texts. A tokenizer of whole texts has spans.
    static constexpr bool kOfWholeTexts = !std::is_same_v<Spans, NoSpans>;

    TokenizerKind kind;
    std::string_view name;
};

/// All tokenizers, in the order of TokenizerKind.
inline constexpr std::tuple kTokenizers{
    TokenizerEntry<WordPunct, WordPunctSpans>{TokenizerKind::wordpunct, "wordpunct"},
    TokenizerEntry<WordTokenize, WordTokenizeSpans>{TokenizerKind::word_tokenize, "word_tokenize"},
    TokenizerEntry<SplitSpaces, NoSpans>{TokenizerKind::split, "split"},
    TokenizerEntry<UnicodeWords, UnicodeWordSpans>{TokenizerKind::unicode, "unicode"},
    TokenizerEntry<Graphemes, GraphemeSpans>{TokenizerKind::chars, "chars"},
    TokenizerEntry<CodePoints, CodePointSpans>{TokenizerKind::codepoints, "codepoints"},
    TokenizerEntry<ByteTokens, ByteSpans>{TokenizerKind::bytes, "bytes"},
    TokenizerEntry<Whitespace, WhitespaceSpans>{TokenizerKind::whitespace, "whitespace"},
    TokenizerEntry<TokenIds, NoSpans>{TokenizerKind::ids, "ids"},
};

inline constexpr std::size_t kTokenizerCount = std::tuple_size_v<decltype(kTokenizers)>;

/// Returns visit(entry) for the entry of a kind. `visit` must return the same type for every entry.
/// Each call chooses once, so visit whole documents or columns, not tokens.
template <std::size_t kAt = 0, class Visit>
decltype(auto) visit_tokenizer(TokenizerKind kind, Visit&& visit) {
    constexpr auto kEntry = std::get<kAt>(kTokenizers);
    static_assert(kEntry.kind == TokenizerKind{kAt}, "the entries are in the order of the kinds");
    if constexpr (kAt + 1 < kTokenizerCount) {
        if (kind != kEntry.kind) return visit_tokenizer<kAt + 1>(kind, std::forward<Visit>(visit));
    }
    return std::forward<Visit>(visit)(kEntry);
}

/// How documents are cut into tokens.
struct Cutting {
    TokenizerKind kind = TokenizerKind::wordpunct;
    Case letters = Case::lower;
    TokenizerKernel kernel = nullptr;  ///< cuts in place of `kind`, if there is one

    bool operator==(const Cutting&) const = default;
};

/// Whether a tokenizer can leave letters as they are written.
template <class Tokens>
inline constexpr bool kTakesCase =
    std::constructible_from<Tokens, std::string_view, TokenBuffer&, Case>;

/// Returns visit(tokens), where `tokens` is a Tokenizer at the beginning of the document. A
/// tokenizer that takes no case always cuts in its own.
template <class Visit>
decltype(auto) visit_tokens(const Cutting& cutting, std::string_view document, TokenBuffer& buffer,
                            Visit&& visit) {
    if (cutting.kernel != nullptr) {
        KernelTokens tokens(document, buffer, cutting.kernel, cutting.letters);
        return visit(tokens);
    }
    if (cutting.kind == TokenizerKind::wordpunct && cutting.letters == Case::as_written) {
        WrittenWordPunct tokens(document, buffer);
        return visit(tokens);
    }
    return visit_tokenizer(cutting.kind, [&]<class Entry>(const Entry&) {
        using Tokens = typename Entry::Tokens;
        if constexpr (kTakesCase<Tokens>) {
            Tokens tokens(document, buffer, cutting.letters);
            return visit(tokens);
        } else {
            Tokens tokens(document, buffer);
            return visit(tokens);
        }
    });
}

/// Calls visit(entry) for every tokenizer in order.
template <class Visit>
void visit_tokenizers(Visit&& visit) {
    std::apply([&visit](const auto&... entries) { (visit(entries), ...); }, kTokenizers);
}

/// The kind of the tokenizer that has this name, or nothing if none has.
inline std::optional<TokenizerKind> tokenizer_named(std::string_view name) {
    std::optional<TokenizerKind> found;
    visit_tokenizers([&](const auto& entry) {
        if (entry.name == name) found = entry.kind;
    });
    return found;
}

}  // namespace dsir::text
