#pragma once

// NLTK's word_tokenize in a plain form: substitutions over the whole text, one rule after the
// other, as in its destructive.py. The tests in tests/core check that this is NLTK's definition,
// and that the tables are Python's.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/lower.hpp"
#include "unicode/unicode_tables.hpp"
#include "unicode/utf8.hpp"

namespace dsir::test::word_rules {

using dsir::unicode::Kind;
using Text = std::u32string;
using View = std::u32string_view;

inline Kind kind_of(char32_t c) {
    return Kind{dsir::unicode::properties_of(c).kind};
}
inline bool is_word(char32_t c) {
    return kind_of(c) == Kind::word;
}
inline bool is_space(char32_t c) {
    return kind_of(c) == Kind::space;
}
inline bool in(char32_t c, View set) {
    return set.find(c) != View::npos;
}

/// What a rule puts in the place of `length` characters, at least one.
struct Match {
    std::size_t length;
    Text replacement;
};
using Rule = std::function<std::optional<Match>(const Text&, std::size_t)>;

/// re.sub: from left to right, without overlap.
inline Text substitute(const Text& text, const Rule& rule) {
    Text out;
    for (std::size_t at = 0; at < text.size();) {
        if (const auto match = rule(text, at)) {
            out += match->replacement;
            at += match->length;
        } else {
            out += text[at++];
        }
    }
    return out;
}

inline Text padded(View text) {
    return U" " + Text(text) + U" ";
}

inline Rule each_of(View set) {
    return [set](const Text& text, std::size_t at) -> std::optional<Match> {
        if (!in(text[at], set)) return std::nullopt;
        return Match{1, padded({&text[at], 1})};
    };
}

inline Rule literal(View found, Text replacement) {
    return [found, replacement](const Text& text, std::size_t at) -> std::optional<Match> {
        if (View(text).substr(at, found.size()) != found) return std::nullopt;
        return Match{found.size(), replacement};
    };
}

/// Runs of at least `least` of one character.
inline Rule run_of(char32_t c, std::size_t least) {
    return [c, least](const Text& text, std::size_t at) -> std::optional<Match> {
        std::size_t end = at;
        while (end < text.size() && text[end] == c) ++end;
        if (end - at < least || end == at) return std::nullopt;
        return Match{end - at, padded(View(text).substr(at, end - at))};
    };
}

/// P1 and P7: ([^\.])(\.)([closing]*)\s*$
inline Rule final_period(View closing, bool space_before_closing) {
    return
        [closing, space_before_closing](const Text& text, std::size_t at) -> std::optional<Match> {
            if (text[at] == '.' || at + 1 >= text.size() || text[at + 1] != '.')
                return std::nullopt;
            std::size_t end = at + 2;
            while (end < text.size() && in(text[end], closing)) ++end;
            const View last = View(text).substr(at + 2, end - at - 2);
            while (end < text.size() && is_space(text[end])) ++end;
            if (end != text.size()) return std::nullopt;
            Text replacement = text.substr(at, 1) + U" .";
            if (space_before_closing) replacement += U" ";
            return Match{end - at, replacement + Text(last) + U" "};
        };
}

/// E5 and E6: ([^' ])(one of the endings) and a space
inline Rule ending(std::vector<Text> endings) {
    return [endings](const Text& text, std::size_t at) -> std::optional<Match> {
        if (text[at] == '\'' || text[at] == ' ') return std::nullopt;
        for (const Text& one : endings) {
            if (View(text).substr(at + 1, one.size() + 1) == one + U" ") {
                return Match{one.size() + 2, text.substr(at, 1) + U" " + one + U" "};
            }
        }
        return std::nullopt;
    };
}

inline bool boundary(const Text& text, std::size_t at) {
    const bool before = at > 0 && is_word(text[at - 1]);
    return before != (at < text.size() && is_word(text[at]));
}

inline bool same_letter(char32_t c, char32_t letter) {
    return c == letter || (letter == 'i' && c == 0x131) || (letter == 's' && c == 0x17F);
}

/// C2 and C3: the two halves, in any case, between boundaries.
inline Rule contraction(Text first, Text second, bool space_first = false,
                        bool space_behind = false) {
    return [=](const Text& text, std::size_t at) -> std::optional<Match> {
        const std::size_t start = space_first ? at + 1 : at;
        if (space_first ? text[at] != ' ' : !boundary(text, at)) return std::nullopt;
        const Text whole = first + second;
        const std::size_t end = start + whole.size();
        if (end > text.size()) return std::nullopt;
        for (std::size_t i = 0; i < whole.size(); ++i) {
            if (!same_letter(text[start + i], whole[i])) return std::nullopt;
        }
        if (space_behind ? end == text.size() || !is_space(text[end]) : !boundary(text, end)) {
            return std::nullopt;
        }
        const std::size_t cut = start + first.size();
        return Match{end - at, padded(View(text).substr(start, cut - start)) +
                                   Text(View(text).substr(cut, end - cut)) + U" "};
    };
}

inline std::optional<Match> opening_quote(const Text& text, std::size_t at) {
    if (!in(text[at], U" ([{<")) return std::nullopt;
    const View behind = View(text).substr(at + 1, 2);
    const std::size_t length = behind == U"''" ? 2 : behind.substr(0, 1) == U"\"" ? 1 : 0;
    if (length == 0) return std::nullopt;
    return Match{1 + length, text.substr(at, 1) + U" `` "};
}

inline std::optional<Match> one_letter_word(const Text& text, std::size_t at) {
    if (text[at] != '\'' || at + 1 >= text.size() || !is_word(text[at + 1])) return std::nullopt;
    if (in(text[at + 1], U"mtsdn\u017f") || !boundary(text, at + 2)) return std::nullopt;
    return Match{2, U"' " + text.substr(at + 1, 1)};
}

inline std::optional<Match> colon(const Text& text, std::size_t at) {
    if (!in(text[at], U":,") || at + 1 >= text.size()) return std::nullopt;
    if (dsir::unicode::properties_of(text[at + 1]).decimal != 0) return std::nullopt;
    return Match{2, padded({&text[at], 1}) + text[at + 1]};
}

inline std::optional<Match> colon_at_end(const Text& text, std::size_t at) {
    const bool last = at + 1 == text.size() || (at + 2 == text.size() && text[at + 1] == '\n');
    if (!in(text[at], U":,") || !last) return std::nullopt;
    return Match{1, padded({&text[at], 1})};
}

inline std::optional<Match> quote_before_space(const Text& text, std::size_t at) {
    if (text[at] == '\'' || View(text).substr(at + 1, 2) != U"' ") return std::nullopt;
    return Match{3, text.substr(at, 1) + U" ' "};
}

inline std::optional<Match> white_space(const Text& text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && is_space(text[end])) ++end;
    if (end == at) return std::nullopt;
    return Match{end - at, U" "};
}

/// Runs of at least one. In NLTK's S1 they are in an alternation with single characters.
inline std::optional<Match> opening_mark(const Text& text, std::size_t at) {
    if (auto single = each_of(U"\u00ab\u201c\u2018\u201e")(text, at)) return single;
    return run_of('`', 1)(text, at);
}

inline Text substituted(Text text) {
    text = substitute(text, opening_mark);
    if (!text.empty() && text[0] == '"') text = U"``" + text.substr(1);
    const std::vector<Rule> before_padding = {
        literal(U"``", U" `` "),
        opening_quote,
        one_letter_word,
        final_period(U"])}>\"'\u00bb\u201d\u2019 ", true),
        colon,
        colon_at_end,
        run_of('.', 2),
        each_of(U";@#$%&"),
        each_of(U"\u2012\u2013\u2014\u2015"),
        final_period(U"])}>\"'", false),
        each_of(U"?!"),
        quote_before_space,
        each_of(U"*"),
        each_of(U"][(){}<>"),
        literal(U"--", U" -- "),
    };
    for (const Rule& rule : before_padding) text = substitute(text, rule);
    text = padded(text);
    const std::vector<Rule> rest = {
        each_of(U"\u00bb\u201d\u2019"),
        literal(U"''", U" '' "),
        literal(U"\"", U" '' "),
        white_space,
        ending({U"'s", U"'m", U"'d", U"'"}),
        ending({U"'ll", U"'re", U"'ve", U"n't"}),
        contraction(U"can", U"not"),
        contraction(U"d", U"'ye"),
        contraction(U"gim", U"me"),
        contraction(U"gon", U"na"),
        contraction(U"got", U"ta"),
        contraction(U"lem", U"me"),
        contraction(U"more", U"'n"),
        contraction(U"wan", U"na", false, true),
        contraction(U"'t", U"is", true),
        contraction(U"'t", U"was", true),
    };
    for (const Rule& rule : rest) text = substitute(text, rule);
    return text;
}

inline std::string lowered(std::string_view bytes) {
    std::string out(dsir::text::lower_room(bytes.size()), '\0');
    const auto length = dsir::text::lower(bytes, reinterpret_cast<std::uint8_t*>(out.data()));
    out.resize(length.value_or(0));
    return out;
}

/// The words of UTF-8 text, in lower case.
inline std::vector<std::string> words(std::string_view bytes) {
    const std::string low = lowered(bytes);
    const auto* at = reinterpret_cast<const std::uint8_t*>(low.data());
    const std::uint8_t* const end = at + low.size();
    Text text;
    while (at < end) {
        const auto decoded = dsir::unicode::decode_utf8(at, end);
        text += decoded.code_point;
        at += decoded.length;
    }
    std::vector<std::string> tokens;
    bool open = false;
    for (const char32_t c : substituted(text)) {
        if (is_space(c)) {
            open = false;
            continue;
        }
        if (!open) tokens.emplace_back();
        open = true;
        std::uint8_t four[4];
        const unsigned length = dsir::unicode::encode_utf8(c, four);
        tokens.back().append(reinterpret_cast<const char*>(four), length);
    }
    return tokens;
}

}  // namespace dsir::test::word_rules
