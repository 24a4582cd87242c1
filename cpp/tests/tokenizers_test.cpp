#include "text/tokenizers.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "check.hpp"
#include "unicode/utf8.hpp"

// The contract of tokenizers.hpp, checked for every tokenizer in its list. A new tokenizer is
// tested without a line here. "ids" takes no texts and has tests of its own.

namespace {

using namespace dsir::text;
using dsir::test::Random;
using dsir::test::rounds;

const std::vector<std::string> kTexts = {
    "",
    " ",
    " \t\n ",
    "a",
    "Alice went, alice!",
    "It's 3.88 in the U.S., isn't it? \"Quite\" -- (so) [she] said...",
    "\u00c9t\u00e9 \u0130stanbul \u03a3\u03a3 \u6771\u4eac\u90fd \U0001F600\U0001F600 \u0e01",
    std::string(kStretchBytes - 1, 'x') + " y",
    std::string(3 * kStretchBytes, '!') + std::string(3 * kStretchBytes, 'w'),
    std::string(5000, ' ') + "end",
};

/// Words, punctuation and spaces of many lengths, sometimes in characters of several bytes.
std::string random_text(Random& random) {
    static const std::vector<std::string> kPieces = {
        " ",      "  ",     "\n",         "a",      "Word",      "don't",  "cannot", "3.14",
        "...",    "--",     "\"",         "``",     ",,",        "::",     "\u00fc", "\u0130",
        "\u6771", "\u3002", "\U0001F600", "\u00a0", "\u0301",    "\u200d", "\u30ab", "_",
        "\u05d0", "'",      "\u0e01",     "\u0e34", "\U0001F1E9"};
    std::string text;
    for (std::uint64_t i = random.below(1500); i > 0; --i) {
        text += kPieces[random.below(kPieces.size())];
    }
    return text;
}

/// The tokens of a document that is UTF-8.
template <class Tokens>
std::vector<std::string> tokens_of(std::string_view document, TokenBuffer& buffer) {
    std::vector<std::string> tokens;
    Tokens tokenizer(document, buffer);
    while (tokenizer.next()) {
        CHECK(buffer.size() >= 1);
        CHECK(buffer.size() <= kStretchTokens);
        for (std::size_t k = 0; k < buffer.size(); ++k) {
            CHECK(!buffer[k].empty());
            tokens.emplace_back(buffer[k]);
        }
    }
    CHECK(tokenizer.valid());
    CHECK(!tokenizer.next());
    return tokens;
}

/// Calls visit(entry) for every tokenizer of texts.
template <class Visit>
void visit_tokenizers_of_texts(Visit&& visit) {
    visit_tokenizers([&visit]<class Entry>(const Entry& entry) {
        if constexpr (!std::is_same_v<typename Entry::Tokens, TokenIds>) visit(entry);
    });
}

bool is_utf8(std::string_view text) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto* const end = at + text.size();
    while (at < end) {
        const unsigned length = dsir::unicode::decode_utf8(at, end).length;
        if (length == 0) return false;
        at += length;
    }
    return true;
}

TEST(names_and_kinds_belong_together) {
    std::vector<std::string> names;
    std::size_t place = 0;
    visit_tokenizers([&]<class Entry>(const Entry& entry) {
        CHECK(tokenizer_named(entry.name) == entry.kind);
        CHECK_EQUAL(static_cast<std::size_t>(entry.kind), place++);
        visit_tokenizer(entry.kind, [&]<class Found>(const Found& found) {
            CHECK_EQUAL(found.name, entry.name);
            CHECK((std::is_same_v<typename Found::Tokens, typename Entry::Tokens>));
        });
        names.emplace_back(entry.name);
    });
    CHECK_EQUAL(names.size(), kTokenizerCount);
    // Model files hold these names. New tokenizers come after them.
    CHECK(kTokenizerCount >= 9);
    names.resize(9);
    CHECK(names == (std::vector<std::string>{"wordpunct", "word_tokenize", "split", "unicode",
                                             "chars", "codepoints", "bytes", "whitespace", "ids"}));
    CHECK(tokenizer_named("Wordpunct") == std::nullopt);
    CHECK(tokenizer_named("") == std::nullopt);
}

TEST(stretches_are_bounded_and_tokens_are_utf8) {
    visit_tokenizers_of_texts([]<class Entry>(const Entry&) {
        TokenBuffer buffer;
        Random random(1);
        for (int i = 0; i < rounds(200); ++i) {
            const std::string text =
                i < static_cast<int>(kTexts.size()) ? kTexts[i] : random_text(random);
            for (const std::string& token : tokens_of<typename Entry::Tokens>(text, buffer)) {
                CHECK(is_utf8(token));
            }
        }
    });
}

TEST(tokens_depend_on_the_document_alone) {
    // In a buffer that held another document, and in memory that ends with the document.
    visit_tokenizers_of_texts([]<class Entry>(const Entry&) {
        using Tokens = typename Entry::Tokens;
        TokenBuffer used;
        Random random(2);
        for (int i = 0; i < rounds(100); ++i) {
            const std::string text = random_text(random);
            TokenBuffer fresh;
            const std::vector<char> exact(text.begin(), text.end());
            const auto tokens = tokens_of<Tokens>({exact.data(), exact.size()}, fresh);
            tokens_of<Tokens>(random_text(random), used);
            CHECK(tokens == tokens_of<Tokens>(text, used));
            // No token holds a space, so tokens that are joined by spaces can be split again.
            std::string joined;
            for (const std::string& token : tokens) joined += token + " ";
            CHECK(tokens_of<SplitSpaces>(joined, fresh) == tokens);
        }
    });
}

TEST(tokens_of_some_texts) {
    // Model files name these tokenizers, so their tokens never change.
    using Tokens = std::vector<std::string>;
    const auto check = [](TokenizerKind kind, std::string_view text, const Tokens& expected) {
        TokenBuffer buffer;
        visit_tokenizer(kind, [&]<class Entry>(const Entry&) {
            CHECK(tokens_of<typename Entry::Tokens>(text, buffer) == expected);
        });
    };
    using enum TokenizerKind;
    check(unicode, "Don't e.g. 3.14 1,000 a:b x_1 ?!... \u2019tis",
          {"don't", "e.g", ".", "3.14", "1,000", "a:b", "x_1", "?!...", "\u2019", "tis"});
    check(unicode, "\u30ab\u30bf_ \u6771\u4eac1\uff01\uff01 \u0e19\u0e35\u0e48\u0e01",
          {"\u30ab", "\u30bf_", "\u6771", "\u4eac", "1", "\uff01\uff01", "\u0e19\u0e35\u0e48",
           "\u0e01"});
    check(unicode, "\u0928\u094d\u092f\u093e\u092f \u05d0'5 a\u200d\u2764!",
          {"\u0928\u094d\u092f\u093e\u092f", "\u05d0'", "5", "a\u200d\u2764", "!"});
    check(chars, "Ae\u0301 \u0301b\ud55c\u1112\u1161\U0001F1E9\U0001F1EA\U0001F1EB",
          {"a", "e\u0301", "\u0301", "b", "\ud55c", "\u1112\u1161", "\U0001F1E9\U0001F1EA",
           "\U0001F1EB"});
    check(codepoints, "Ae\u0301\u3000b", {"a", "e", "\u0301", "b"});
    check(bytes, "A \u00e9\n", {"a", "\u00c3", "\u00a9"});
    check(whitespace, " A.b\u3000c\u00a0d ", {"a.b", "c", "d"});
}

TEST(documents_that_are_not_utf8_are_not_valid) {
    visit_tokenizers_of_texts([]<class Entry>(const Entry&) {
        TokenBuffer buffer;
        Random random(3);
        for (const std::string bad : {"\xFF", "\xC0\x80", "\xED\xA0\x80", "\xE6\x9D"}) {
            for (int i = 0; i < rounds(20); ++i) {
                const std::string text = random_text(random) + bad + (i % 2 == 0 ? "" : " x");
                typename Entry::Tokens tokenizer(text, buffer);
                while (tokenizer.next()) CHECK(buffer.size() <= kStretchTokens);
                CHECK(!tokenizer.valid());
            }
        }
    });
}

TEST(numbers_of_tokens_are_taken_four_bytes_at_a_time) {
    TokenBuffer buffer;
    std::string document;
    for (std::uint32_t id = 0; id < 2000; ++id) {
        for (unsigned byte = 0; byte < 4; ++byte) {
            document += static_cast<char>((id * 70001) >> (8 * byte));
        }
    }
    const auto tokens = tokens_of<TokenIds>(document, buffer);
    CHECK_EQUAL(tokens.size(), std::size_t{2000});
    for (std::size_t k = 0; k < tokens.size(); ++k) {
        CHECK(tokens[k] == document.substr(4 * k, 4));
    }
    CHECK(tokens_of<TokenIds>("", buffer).empty());
    TokenIds broken("abcde", buffer);
    while (broken.next()) continue;
    CHECK(!broken.valid());
}

TEST(tokens_as_they_are_written) {
    const auto written = [](TokenizerKind kind, std::string_view text) {
        std::vector<std::string> tokens;
        TokenBuffer buffer;
        visit_tokens({kind, Case::as_written}, text, buffer, [&](auto& tokenizer) {
            while (tokenizer.next()) {
                for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
            }
            CHECK(tokenizer.valid());
        });
        return tokens;
    };
    using Tokens = std::vector<std::string>;
    using enum TokenizerKind;
    CHECK(written(wordpunct, "\u0130stanbul's HTTP-Server \u03a3\u03a3") ==
          (Tokens{"\u0130stanbul", "'", "s", "HTTP", "-", "Server", "\u03a3\u03a3"}));
    CHECK(written(unicode, "Don't SHOUT") == (Tokens{"Don't", "SHOUT"}));
    CHECK(written(chars, "Ae\u0301") == (Tokens{"A", "e\u0301"}));
    CHECK(written(bytes, "A\u00c9") == (Tokens{"A", "\u00c3", "\u0089"}));
    CHECK(written(whitespace, " A.b C") == (Tokens{"A.b", "C"}));
    // In lower case as written, a text gives the tokens that it gives in lower case.
    Random random(5);
    for (int i = 0; i < rounds(100); ++i) {
        const std::string text = random_text(random);
        std::string lowered(lower_room(text.size()), 0);
        lowered.resize(*lower(text, reinterpret_cast<std::uint8_t*>(lowered.data())));
        visit_tokenizers_of_texts([&]<class Entry>(const Entry& entry) {
            TokenBuffer buffer;
            CHECK(written(entry.kind, lowered) ==
                  tokens_of<typename Entry::Tokens>(lowered, buffer));
        });
    }
}

TEST(spans_are_where_the_tokens_lie) {
    visit_tokenizers([]<class Entry>(const Entry& entry) {
        if constexpr (Entry::kOfWholeTexts) {
            TokenBuffer tokens;
            SpanBuffer buffer;
            Random random(4);
            for (int i = 0; i < rounds(100); ++i) {
                // U+0130 becomes two characters, and the second may begin a token that has no span.
                std::string text = random_text(random);
                for (std::size_t at; (at = text.find("\u0130")) != std::string::npos;) {
                    text.erase(at, 2);
                }
                std::vector<std::uint32_t> starts;
                std::vector<std::uint32_t> ends;
                typename Entry::Spans spans(text, buffer);
                while (spans.next()) {
                    CHECK(buffer.starts_size + buffer.ends_size >= 1);
                    CHECK(buffer.starts_size <= SpanBuffer::kMost);
                    CHECK(buffer.ends_size <= SpanBuffer::kMost);
                    starts.insert(starts.end(), buffer.starts.begin(),
                                  buffer.starts.begin() + buffer.starts_size);
                    ends.insert(ends.end(), buffer.ends.begin(),
                                buffer.ends.begin() + buffer.ends_size);
                }
                CHECK(spans.valid());
                const auto expected = tokens_of<typename Entry::Tokens>(text, tokens);
                // Bytes that begin no character have no span.
                if (entry.kind != TokenizerKind::bytes) {
                    CHECK_EQUAL(starts.size(), expected.size());
                }
                CHECK_EQUAL(ends.size(), starts.size());
                for (std::size_t k = 0; k < starts.size() && k < ends.size(); ++k) {
                    CHECK(starts[k] < ends[k]);
                    CHECK(k == 0 || ends[k - 1] <= starts[k]);
                    CHECK(is_utf8(std::string_view(text).substr(starts[k], ends[k] - starts[k])));
                }
                CHECK(ends.empty() || ends.back() <= text.size());
            }
            typename Entry::Spans broken("a \xFF", buffer);
            while (broken.next()) continue;
            CHECK(!broken.valid());
        }
    });
}

}  // namespace
