#include <memory>
#include <optional>

#include "check.hpp"
#include "text/split_spaces.hpp"
#include "text/word_spans.hpp"
#include "text/word_tokenize.hpp"
#include "unicode/utf8.hpp"
#include "word_rules.hpp"

namespace {

using dsir::test::Random;
using dsir::text::TokenBuffer;
using Tokens = std::vector<std::string>;

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
        if (buffer.size() > dsir::text::kStretchTokens) return Tokens{"a long stretch"};
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
                    dsir::test::word_rules::words(bytes));
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
    for (int i = 0; i < 10000; ++i) check_words(random_text(random, random.below(16)));
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
    // A quadratic pass would exceed the time limit.
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
