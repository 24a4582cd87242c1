#include <functional>
#include <memory>
#include <optional>

#include "check.hpp"
#include "text/lower.hpp"
#include "text/split_spaces.hpp"
#include "text/utf8.hpp"
#include "text/word_spans.hpp"
#include "text/word_tokenize.hpp"

// The oracle substitutes over the whole text, rule after rule, as NLTK's destructive.py does. That
// it is NLTK's definition, and the tables Python's, is for the tests in tests/core.

namespace {

using dsir::test::Random;
using dsir::text::Kind;
using dsir::text::TokenBuffer;
using Text = std::u32string;
using View = std::u32string_view;
using Tokens = std::vector<std::string>;

Kind kind_of(char32_t c) {
    return Kind{dsir::text::properties_of(c).kind};
}
bool is_word(char32_t c) {
    return kind_of(c) == Kind::word;
}
bool is_space(char32_t c) {
    return kind_of(c) == Kind::space;
}
bool in(char32_t c, View set) {
    return set.find(c) != View::npos;
}

/// What a rule puts in the place of so many characters; at least one.
struct Match {
    std::size_t length;
    Text replacement;
};
using Rule = std::function<std::optional<Match>(const Text&, std::size_t)>;

/// re.sub: from left to right, without overlap.
Text substitute(const Text& text, const Rule& rule) {
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

Text padded(View text) {
    return U" " + Text(text) + U" ";
}

Rule each_of(View set) {
    return [set](const Text& text, std::size_t at) -> std::optional<Match> {
        if (!in(text[at], set)) return std::nullopt;
        return Match{1, padded({&text[at], 1})};
    };
}

Rule literal(View found, Text replacement) {
    return [found, replacement](const Text& text, std::size_t at) -> std::optional<Match> {
        if (View(text).substr(at, found.size()) != found) return std::nullopt;
        return Match{found.size(), replacement};
    };
}

/// Runs of at least so many of one character.
Rule run_of(char32_t c, std::size_t least) {
    return [c, least](const Text& text, std::size_t at) -> std::optional<Match> {
        std::size_t end = at;
        while (end < text.size() && text[end] == c) ++end;
        if (end - at < least || end == at) return std::nullopt;
        return Match{end - at, padded(View(text).substr(at, end - at))};
    };
}

/// P1 and P7: ([^\.])(\.)([closing]*)\s*$
Rule final_period(View closing, bool space_before_closing) {
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
Rule ending(std::vector<Text> endings) {
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

bool boundary(const Text& text, std::size_t at) {
    const bool before = at > 0 && is_word(text[at - 1]);
    return before != (at < text.size() && is_word(text[at]));
}

bool same_letter(char32_t c, char32_t letter) {
    return c == letter || (letter == 'i' && c == 0x131) || (letter == 's' && c == 0x17F);
}

/// C2 and C3: the two halves, in any case, between boundaries.
Rule contraction(Text first, Text second, bool space_first = false, bool space_behind = false) {
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

std::optional<Match> opening_quote(const Text& text, std::size_t at) {
    if (!in(text[at], U" ([{<")) return std::nullopt;
    const View behind = View(text).substr(at + 1, 2);
    const std::size_t length = behind == U"''" ? 2 : behind.substr(0, 1) == U"\"" ? 1 : 0;
    if (length == 0) return std::nullopt;
    return Match{1 + length, text.substr(at, 1) + U" `` "};
}

std::optional<Match> one_letter_word(const Text& text, std::size_t at) {
    if (text[at] != '\'' || at + 1 >= text.size() || !is_word(text[at + 1])) return std::nullopt;
    if (in(text[at + 1], U"mtsdn\u017f") || !boundary(text, at + 2)) return std::nullopt;
    return Match{2, U"' " + text.substr(at + 1, 1)};
}

std::optional<Match> colon(const Text& text, std::size_t at) {
    if (!in(text[at], U":,") || at + 1 >= text.size()) return std::nullopt;
    if (dsir::text::properties_of(text[at + 1]).decimal != 0) return std::nullopt;
    return Match{2, padded({&text[at], 1}) + text[at + 1]};
}

std::optional<Match> colon_at_end(const Text& text, std::size_t at) {
    const bool last = at + 1 == text.size() || (at + 2 == text.size() && text[at + 1] == '\n');
    if (!in(text[at], U":,") || !last) return std::nullopt;
    return Match{1, padded({&text[at], 1})};
}

std::optional<Match> quote_before_space(const Text& text, std::size_t at) {
    if (text[at] == '\'' || View(text).substr(at + 1, 2) != U"' ") return std::nullopt;
    return Match{3, text.substr(at, 1) + U" ' "};
}

std::optional<Match> white_space(const Text& text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && is_space(text[end])) ++end;
    if (end == at) return std::nullopt;
    return Match{end - at, U" "};
}

/// Runs of at least one; NLTK's S1 has them in an alternation with single characters.
std::optional<Match> opening_mark(const Text& text, std::size_t at) {
    if (auto single = each_of(U"\u00ab\u201c\u2018\u201e")(text, at)) return single;
    return run_of('`', 1)(text, at);
}

Text substituted(Text text) {
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

std::string lowered(std::string_view bytes) {
    std::string out(dsir::text::lower_room(bytes.size()), '\0');
    const auto length = dsir::text::lower(bytes, reinterpret_cast<std::uint8_t*>(out.data()));
    out.resize(length.value_or(0));
    return out;
}

Tokens oracle(std::string_view bytes) {
    const std::string low = lowered(bytes);
    const auto* at = reinterpret_cast<const std::uint8_t*>(low.data());
    const std::uint8_t* const end = at + low.size();
    Text text;
    while (at < end) {
        const auto decoded = dsir::text::decode_utf8(at, end);
        text += decoded.code_point;
        at += decoded.length;
    }
    Tokens tokens;
    bool open = false;
    for (const char32_t c : substituted(text)) {
        if (is_space(c)) {
            open = false;
            continue;
        }
        if (!open) tokens.emplace_back();
        open = true;
        std::uint8_t four[4];
        const unsigned length = dsir::text::encode_utf8(c, four);
        tokens.back().append(reinterpret_cast<const char*>(four), length);
    }
    return tokens;
}

/// The tokens of bytes that end where their memory ends, so that the address sanitizer sees any
/// read beyond them.
template <class Tokenizer>
std::optional<Tokens> tokens_of(std::string_view bytes, TokenBuffer& buffer) {
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    if (!bytes.empty()) bytes.copy(exact.get(), bytes.size());
    Tokenizer tokenizer({exact.get(), bytes.size()}, buffer);
    Tokens tokens;
    while (tokenizer.next()) {
        if (buffer.size() == 0) return Tokens{"next() without a token"};
        if (buffer.size() > dsir::text::WordPunct::kStretch + 64) return Tokens{"a long stretch"};
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    if (tokenizer.next()) return Tokens{"next() after the end"};
    if (!tokenizer.valid()) return std::nullopt;
    return tokens;
}

std::optional<Tokens> words_of(std::string_view bytes) {
    TokenBuffer buffer;
    return tokens_of<dsir::text::WordTokenize>(bytes, buffer);
}

void check_words(std::string_view bytes) {
    CHECK_EQUAL_FOR(bytes.substr(0, 300), words_of(bytes).value_or(Tokens{"not UTF-8"}),
                    oracle(bytes));
}

std::string random_text(Random& random, std::size_t parts) {
    static const std::vector<std::string> all = {"a",
                                                 "i",
                                                 "t",
                                                 "s",
                                                 "d",
                                                 "word",
                                                 "12",
                                                 "_",
                                                 " ",
                                                 " ",
                                                 "\n",
                                                 "\t",
                                                 "\x1c",
                                                 "'",
                                                 "'",
                                                 "'",
                                                 "\"",
                                                 "\"",
                                                 "`",
                                                 ".",
                                                 ".",
                                                 ",",
                                                 ":",
                                                 ";",
                                                 "-",
                                                 "--",
                                                 "...",
                                                 "!",
                                                 "?",
                                                 "*",
                                                 "(",
                                                 ")",
                                                 "[",
                                                 "]",
                                                 "{",
                                                 ">",
                                                 "<",
                                                 "$",
                                                 "/",
                                                 "\\",
                                                 "'s",
                                                 "'LL",
                                                 "n't",
                                                 "N'T",
                                                 "'re",
                                                 "'ve",
                                                 "'m",
                                                 "'d",
                                                 "D'ye",
                                                 "more'n",
                                                 "'tis",
                                                 " 'Tis",
                                                 "'twas",
                                                 "cannot",
                                                 "gimme",
                                                 "gonna",
                                                 "gotta",
                                                 "lemme",
                                                 "wanna",
                                                 "wanna ",
                                                 "''",
                                                 "``",
                                                 ".'",
                                                 ". ",
                                                 ".\"",
                                                 "' ",
                                                 "\u00ab",
                                                 "\u00bb",
                                                 "\u201c",
                                                 "\u201d",
                                                 "\u2018",
                                                 "\u2019",
                                                 "\u201e",
                                                 "\u2013",
                                                 "\u2015",
                                                 "\u00a0",
                                                 "\u2028",
                                                 "\u0085",
                                                 "\u3000",
                                                 "\u0663",
                                                 "\u00b2",
                                                 "\u2167",
                                                 "\u00e9",
                                                 "\u0301",
                                                 "\u017f",
                                                 "\u0131",
                                                 "\u0130",
                                                 "\u03a3",
                                                 "'t\u0131\u017f",
                                                 "g\u0131mme",
                                                 "'twa\u017f",
                                                 "\u4e2d",
                                                 "\u023a",
                                                 "\U0001F600",
                                                 "\U0001D7D8",
                                                 "\ufeff",
                                                 std::string(1, '\0'),
                                                 ":\n"};
    std::string text;
    for (std::size_t i = 0; i < parts; ++i) text += all[random.below(all.size())];
    return text;
}

TEST(words_of_random_text) {
    Random random(1);
    for (int i = 0; i < 30000; ++i) check_words(random_text(random, random.below(16)));
    for (int i = 0; i < 300; ++i) check_words(random_text(random, random.below(400)));
}

TEST(words_over_stretches) {
    Random random(2);
    for (int i = 0; i < 40; ++i) {
        std::string text;
        const std::string part = random_text(random, 1 + random.below(5));
        while (text.size() < 9000) text += part;
        check_words(text);
    }
}

TEST(some_sentences) {
    CHECK_EQUAL(words_of("\"Don't,\" he's said: $3.88 (U.S.A.).").value_or(Tokens{}),
                Tokens{"``", "do", "n't", ",", "''", "he", "'s", "said", ":", "$", "3.88", "(",
                       "u.s.a.", ")", "."});
    CHECK_EQUAL(words_of("D'ye want more'n 'tis? I cannot.\n").value_or(Tokens{}),
                Tokens{"d", "'ye", "want", "more", "'n", "'t", "is", "?", "i", "can", "not", "."});
    CHECK_EQUAL(words_of("").value_or(Tokens{"none"}), Tokens{});
}

TEST(one_buffer_for_many_documents) {
    Random random(3);
    TokenBuffer buffer;
    for (int i = 0; i < 2000; ++i) {
        const std::string text = random_text(random, random.below(i % 100 == 0 ? 3000 : 20));
        const auto found = tokens_of<dsir::text::WordTokenize>(text, buffer);
        CHECK(found == words_of(text));
        const auto split = tokens_of<dsir::text::SplitSpaces>(text, buffer);
        CHECK(split.has_value());
    }
}

TEST(bytes_that_are_not_utf8) {
    Random random(4);
    for (int i = 0; i < 5000; ++i) {
        std::string bytes = random_text(random, 1 + random.below(12));
        bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
        bytes.resize(1 + random.below(bytes.size()));
        const bool valid = dsir::text::is_utf8(bytes);
        CHECK_EQUAL_FOR(bytes, words_of(bytes).has_value(), valid);
        TokenBuffer buffer;
        CHECK_EQUAL_FOR(bytes, tokens_of<dsir::text::SplitSpaces>(bytes, buffer).has_value(),
                        valid);
        if (valid) check_words(bytes);
    }
}

TEST(is_utf8_at_every_place_of_a_word) {
    for (std::size_t before = 0; before < 20; ++before) {
        for (std::size_t behind = 0; behind < 20; ++behind) {
            const auto with = [&](const char* middle) {
                return std::string(before, 'a') + middle + std::string(behind, 'b');
            };
            CHECK(dsir::text::is_utf8(with("\u00e9")));
            CHECK(dsir::text::is_utf8(with("")));
            CHECK(!dsir::text::is_utf8(with("\xc3")));
            CHECK(!dsir::text::is_utf8(with("\xed\xa0\x80")));
        }
    }
}

TEST(splitting_at_spaces) {
    TokenBuffer buffer;
    const auto split = [&buffer](std::string_view text) {
        return tokens_of<dsir::text::SplitSpaces>(text, buffer).value_or(Tokens{"not UTF-8"});
    };
    CHECK_EQUAL(split(""), Tokens{});
    CHECK_EQUAL(split("   "), Tokens{});
    CHECK_EQUAL(split(" A\tb  \u00c9\u00a0c \n"), Tokens{"A\tb", "\u00c9\u00a0c", "\n"});
    std::string many;
    Tokens expected;
    for (int i = 0; i < 9000; ++i) {
        expected.push_back(std::to_string(i));
        many += expected.back() + " ";
    }
    CHECK_EQUAL(split(many), expected);
}

TEST(a_megabyte_of_one_thing) {
    // A quadratic pass would run into the time limit.
    for (const std::string part :
         {"a",      "'",       "\"",   ".",    "`",   ":",   "-",  " ",   "\n", "\u03a3",
          "\u0301", "cannot-", "'tis", "d'ye", ".)'", ".\n", "' ", "'a ", ":'", "s'"}) {
        std::string text = "b";
        while (text.size() < 1000000) text += part;
        CHECK(words_of(text).has_value());
        check_words(text.substr(0, 1 + 600 * part.size()));
    }
}

TEST(spans_in_the_original_text) {
    Random random(6);
    dsir::text::SpanBuffer spans;
    for (int i = 0; i < 3000; ++i) {
        const std::string text = random_text(random, 1 + random.below(i % 50 == 0 ? 3000 : 20));
        dsir::text::WordTokenizeSpans stream(text, spans);
        std::size_t starts = 0;
        std::size_t ends = 0;
        std::size_t last_end = 0;
        while (stream.next()) {
            CHECK(spans.starts_size == spans.ends_size);
            for (std::size_t k = 0; k < spans.ends_size; ++k) {
                CHECK(spans.starts[k] >= last_end);
                CHECK(spans.ends[k] > spans.starts[k]);
                last_end = spans.ends[k];
            }
            starts += spans.starts_size;
            ends += spans.ends_size;
        }
        CHECK(stream.valid());
        CHECK(last_end <= text.size());
        if (text.find("\u0130") == std::string::npos) {
            CHECK_EQUAL_FOR(text, starts, words_of(text)->size());
        }
    }
    dsir::text::WordTokenizeSpans broken("a \xff", spans);
    CHECK(!broken.next());
    CHECK(!broken.valid());
}

}  // namespace
