#include <memory>
#include <optional>

#include "check.hpp"
#include "text/lines.hpp"
#include "text/wordpunct.hpp"
#include "unicode/unicode_tables.hpp"
#include "unicode/utf8.hpp"

// The oracle is written from the definition, one code point at a time over the whole document:
// decode, str.lower(), split when the class changes. The tests in tests/core check that the tables
// are Python's.

namespace {

using dsir::test::Random;
using dsir::unicode::Kind;
using dsir::unicode::properties_of;
using Tokens = std::vector<std::string>;

std::string encode(char32_t c) {
    const auto byte = [](char32_t value) { return static_cast<char>(value); };
    if (c < 0x80) return {byte(c)};
    if (c < 0x800) return {byte(0xC0 + c / 64), byte(0x80 + c % 64)};
    if (c < 0x10000) {
        return {byte(0xE0 + c / 4096), byte(0x80 + c / 64 % 64), byte(0x80 + c % 64)};
    }
    return {byte(0xF0 + c / 262144), byte(0x80 + c / 4096 % 64), byte(0x80 + c / 64 % 64),
            byte(0x80 + c % 64)};
}

bool is_scalar_value(char32_t c) {
    return c < 0xD800 || (c > 0xDFFF && c < 0x110000);
}

struct Character {
    char32_t code_point;
    std::size_t length;
};

/// The character at the beginning of the bytes: the code point whose encoding is there.
std::optional<Character> first_character(std::string_view bytes) {
    for (std::size_t length = 1; length <= 4 && length <= bytes.size(); ++length) {
        const char32_t lead_bits[] = {0x7F, 0x1F, 0x0F, 0x07};
        char32_t c = static_cast<unsigned char>(bytes[0]) & lead_bits[length - 1];
        for (std::size_t i = 1; i < length; ++i) {
            c = c * 64 + (static_cast<unsigned char>(bytes[i]) & 0x3F);
        }
        if (is_scalar_value(c) && encode(c) == bytes.substr(0, length)) return {{c, length}};
    }
    return std::nullopt;
}

std::optional<std::u32string> decode(std::string_view bytes) {
    std::u32string out;
    while (!bytes.empty()) {
        const auto first = first_character(bytes);
        if (!first) return std::nullopt;
        out += first->code_point;
        bytes.remove_prefix(first->length);
    }
    return out;
}

bool sigma_is_final(const std::u32string& text, std::size_t at) {
    std::size_t before = at;
    while (before > 0 && properties_of(text[before - 1]).case_ignorable != 0) --before;
    if (before == 0 || properties_of(text[before - 1]).cased == 0) return false;
    std::size_t after = at + 1;
    while (after < text.size() && properties_of(text[after]).case_ignorable != 0) ++after;
    return after == text.size() || properties_of(text[after]).cased == 0;
}

std::u32string lower(const std::u32string& text) {
    std::u32string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == 0x130) {
            out += U"i\u0307";
        } else if (text[i] == 0x3A3) {
            out += sigma_is_final(text, i) ? 0x3C2 : 0x3C3;
        } else {
            out += static_cast<char32_t>(static_cast<std::int32_t>(text[i]) +
                                         properties_of(text[i]).lower_delta);
        }
    }
    return out;
}

/// The tokens, or nothing if the bytes are not UTF-8.
std::optional<Tokens> oracle(std::string_view bytes) {
    const auto text = decode(bytes);
    if (!text) return std::nullopt;
    Tokens tokens;
    Kind open = Kind::space;
    for (const char32_t c : lower(*text)) {
        const Kind kind{properties_of(c).kind};
        if (kind != Kind::space) {
            if (kind != open) tokens.emplace_back();
            tokens.back() += encode(c);
        }
        open = kind;
    }
    return tokens;
}

/// The tokens of bytes that end where their memory ends, so that the address sanitizer sees any
/// read beyond them.
std::optional<Tokens> tokens_of(std::string_view bytes, dsir::text::TokenBuffer& buffer) {
    const std::unique_ptr<char[]> exact(new char[bytes.size()]);
    if (!bytes.empty()) bytes.copy(exact.get(), bytes.size());
    dsir::text::WordPunct tokenizer({exact.get(), bytes.size()}, buffer);
    Tokens tokens;
    while (tokenizer.next()) {
        if (buffer.size() == 0) return Tokens{"next() without a token"};
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    if (tokenizer.next()) return Tokens{"next() after the end"};
    if (!tokenizer.valid()) return std::nullopt;
    return tokens;
}

std::optional<Tokens> tokens_of(std::string_view bytes) {
    dsir::text::TokenBuffer buffer;
    return tokens_of(bytes, buffer);
}

void check_tokens(std::string_view bytes) {
    CHECK_EQUAL_FOR(bytes.substr(0, 300), tokens_of(bytes).value_or(Tokens{"not UTF-8"}),
                    oracle(bytes).value_or(Tokens{"not UTF-8"}));
}

/// Pieces of text that take every path through the tokenizer.
const std::vector<std::string>& pieces() {
    static const std::vector<std::string> all = {
        "a",          "Z",
        "word",       "9",
        "_",          " ",
        "\n",         "\x1c",
        "!",          "...",
        "'",          ":",
        "\x7f",       std::string(1, '\0'),
        "ABC def, ",  "\u00e9",
        "\u00c9",     "\u03a3",
        "\u03c3",     "\u0130",
        "\u0131",     "\u023a",  // grows from 2 bytes to 3
        "\u2126",                // shrinks to 2 bytes
        "\u0300",     "\u0307",
        "\u00ad",     "\u2019",  // case-ignorable, marks and punctuation
        "\u00a0",     "\u2003",
        "\u3000",     "\u0085",  // spaces
        "\u4e2d",     "\u3042",
        "\u0e01",     "\u0661",
        "\u00b2",     "\u2167",
        "\u201c",     "\u20ac",
        "\U0001F600", "\U00010400",
        "\U0001D400", "\U0010FFFF",
        "\ufffd",     "\ufeff",
        "\u0378"};
    return all;
}

std::string random_text(Random& random, std::size_t length) {
    std::string text;
    // Runs of one piece, so that there are whole blocks of ASCII and whole blocks of other text.
    while (text.size() < length) {
        const std::string& piece = pieces()[random.below(pieces().size())];
        const std::size_t times = random.below(8) == 0 ? 1 + random.below(70) : 1;
        for (std::size_t i = 0; i < times; ++i) text += piece;
    }
    return text;
}

TEST(tokens_of_random_text) {
    Random random(1);
    dsir::text::TokenBuffer reused;
    for (int i = 0; i < 2000; ++i) {
        const std::string text = random_text(random, random.below(i % 50 == 0 ? 9000 : 200));
        const auto expected = oracle(text);
        CHECK(expected.has_value());
        CHECK_EQUAL_FOR(text, tokens_of(text, reused).value_or(Tokens{"not UTF-8"}),
                        expected.value_or(Tokens{}));
    }
}

TEST(tokens_of_random_bytes) {
    Random random(2);
    long valid = 0;
    for (int i = 0; i < 6000; ++i) {
        std::string bytes = random_text(random, random.below(150));
        // Zero to three bytes are damaged.
        for (std::size_t damage = random.below(4); damage > 0 && !bytes.empty(); --damage) {
            bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
        }
        valid += oracle(bytes).has_value() ? 1 : 0;
        check_tokens(bytes);
    }
    CHECK(valid > 600);
    CHECK(valid < 5400);
    for (int i = 0; i < 2000; ++i) {
        std::string bytes(random.below(6), '\0');
        for (char& byte : bytes) byte = static_cast<char>(random.below(256));
        check_tokens(bytes);
    }
}

TEST(every_truncation) {
    std::string text;
    for (const std::string& piece : pieces()) text += piece;
    text += text;
    for (std::size_t length = 0; length <= text.size(); ++length) {
        check_tokens(std::string_view(text).substr(0, length));
    }
}

TEST(pieces_across_block_and_stretch_boundaries) {
    for (const std::string& piece : pieces()) {
        for (const std::size_t around : {std::size_t{64}, dsir::text::kStretchBytes}) {
            for (std::size_t at = around - 5; at <= around + 2; ++at) {
                check_tokens(std::string(at, 'a') + piece + "b");
                check_tokens(std::string(at, '.') + piece);
                check_tokens(std::string(at, ' ') + piece + piece);
            }
        }
    }
    for (std::size_t length = 0; length <= 200; ++length) {
        check_tokens(std::string(length, 'A'));
        check_tokens(std::string(length, '!'));
        check_tokens(std::string(length, ' '));
    }
}

TEST(long_tokens) {
    for (const std::size_t length : {2047, 2048, 2049, 2111, 2112, 2113, 4096, 50000}) {
        CHECK_EQUAL(tokens_of(std::string(length, 'Q')).value_or(Tokens{}),
                    Tokens{std::string(length, 'q')});
        check_tokens("x! " + std::string(length, 'Q') + " y");
        check_tokens(std::string(length, ' ') + "y");
        std::string wide;
        while (wide.size() < length) wide += "\u023a";
        check_tokens(wide + "," + wide);
        std::string dotted;  // two tokens for every two bytes
        while (dotted.size() < length) dotted += "\u0130";
        check_tokens(dotted);
    }
}

TEST(sigma_and_dotted_i) {
    CHECK_EQUAL(tokens_of("\u039f\u0394\u039f\u03a3 \u03a3\u039f\u03a3").value_or(Tokens{}),
                Tokens{"\u03bf\u03b4\u03bf\u03c2", "\u03c3\u03bf\u03c2"});
    CHECK_EQUAL(tokens_of("\u03a3").value_or(Tokens{}), Tokens{"\u03c3"});
    CHECK_EQUAL(tokens_of("A\u03a3.b").value_or(Tokens{}), Tokens{"a\u03c3", ".", "b"});
    CHECK_EQUAL(tokens_of("A\u03a3.").value_or(Tokens{}), Tokens{"a\u03c2", "."});
    CHECK_EQUAL(tokens_of("\u0130x").value_or(Tokens{}), Tokens{"i", "\u0307", "x"});
    // Every arrangement of five characters that matter to the rule.
    const std::vector<std::string> letters = {"\u03a3", "a",      ".",     "\u0307",
                                              " ",      "\u4e2d", "\u0130"};
    for (std::size_t i = 0; i < 16807; ++i) {
        std::string text;
        for (std::size_t rest = i, k = 0; k < 5; ++k, rest /= letters.size()) {
            text += letters[rest % letters.size()];
        }
        check_tokens(text);
    }
    // Distant contexts, looked for in both directions. A bad byte in them is no context.
    const std::string dots(3000, '.');
    check_tokens("A" + dots + "\u03a3" + dots + "b");
    check_tokens("A" + dots + "\u03a3" + dots);
    check_tokens(dots + "\u03a3");
    check_tokens("A\u03a3.\xff");
}

TEST(no_tokens) {
    CHECK_EQUAL(tokens_of("").value_or(Tokens{"?"}), Tokens{});
    CHECK_EQUAL(tokens_of(" \t\r\n\u3000").value_or(Tokens{"?"}), Tokens{});
    dsir::text::TokenBuffer buffer;
    dsir::text::WordPunct tokenizer({}, buffer);
    CHECK(!tokenizer.next());
    CHECK(tokenizer.valid());
}

/// Decodes bytes that end where their memory ends.
void check_decode(const std::vector<std::uint8_t>& bytes) {
    const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), exact.get());
    const auto found = dsir::unicode::decode_utf8(exact.get(), exact.get() + bytes.size());
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto expected = first_character(text).value_or(Character{0, 0});
    CHECK_EQUAL_FOR(text, found.length, expected.length);
    if (expected.length != 0) {
        CHECK_EQUAL_FOR(text, std::uint32_t{found.code_point}, std::uint32_t{expected.code_point});
    }
}

TEST(utf8_of_every_boundary) {
    const std::vector<std::uint8_t> edges = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F,
                                             0xA0, 0xBF, 0xC0, 0xF4, 0xFF};
    for (unsigned a = 0; a < 256; ++a) {
        const auto b0 = static_cast<std::uint8_t>(a);
        check_decode({b0});
        for (unsigned b = 0; b < 256; ++b) {
            const auto b1 = static_cast<std::uint8_t>(b);
            check_decode({b0, b1});
            if (b0 < 0xC0 && b1 % 16 != 0) continue;  // not a lead byte: a few are enough
            for (const std::uint8_t b2 : edges) {
                check_decode({b0, b1, b2});
                if (b0 < 0xE0) continue;
                for (const std::uint8_t b3 : edges) check_decode({b0, b1, b2, b3});
            }
        }
    }
}

TEST(utf8_of_every_code_point) {
    std::string all;
    std::vector<char32_t> code_points;
    for (char32_t c = 0; c < 0x110000; ++c) {
        if (!is_scalar_value(c)) continue;
        std::uint8_t bytes[4] = {};
        const unsigned length = dsir::unicode::encode_utf8(c, bytes);
        all.append(reinterpret_cast<const char*>(bytes), length);
        code_points.push_back(c);
    }
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(all.data());
    const auto* const end = begin + all.size();
    long wrong = 0;
    const std::uint8_t* at = begin;
    for (const char32_t c : code_points) {
        const auto decoded = dsir::unicode::decode_utf8(at, end);
        if (decoded.code_point != c || encode(c).size() != decoded.length) ++wrong;
        at += decoded.length;
    }
    CHECK(at == end);
    for (std::size_t i = code_points.size(); i-- > 0;) {
        const auto decoded = dsir::unicode::decode_utf8_before(begin, at);
        if (decoded.code_point != code_points[i]) ++wrong;
        at -= decoded.length;
    }
    CHECK(at == begin);
    CHECK_EQUAL(wrong, 0);
}

TEST(properties_of_some_characters) {
    const auto kind = [](char32_t c) { return Kind{properties_of(c).kind}; };
    CHECK_EQUAL(kind(U'a'), Kind::word);
    CHECK_EQUAL(kind(U'_'), Kind::word);
    CHECK_EQUAL(kind(U'\u00b2'), Kind::word);
    CHECK_EQUAL(kind(U'\u0300'), Kind::punctuation);
    CHECK_EQUAL(kind(U'\u2028'), Kind::space);
    CHECK_EQUAL(kind(U'\U0010ffff'), Kind::punctuation);
    CHECK_EQUAL(properties_of(U'\u00c9').lower_delta, 0x20);
    CHECK_EQUAL(std::string(dsir::unicode::kUnicodeVersion), std::string("14.0.0"));
}

struct Lines {
    std::vector<std::int64_t> starts, ends;
    bool objects;
};

void check_lines(std::string_view block, const Lines& expected) {
    const auto found = dsir::text::line_spans(block);
    CHECK_EQUAL_FOR(block, found.starts, expected.starts);
    CHECK_EQUAL_FOR(block, found.ends, expected.ends);
    CHECK_EQUAL_FOR(block, found.objects, expected.objects);
}

TEST(lines) {
    check_lines("", {{}, {}, true});
    check_lines("\n\r\n \t\n", {{}, {}, true});
    check_lines("{}", {{0}, {2}, true});
    check_lines("{}\n", {{0}, {2}, true});
    check_lines("{}\r\n\n {1} \n", {{0, 5}, {2, 10}, true});
    check_lines("{}\n[]\n", {{0, 3}, {2, 5}, false});
    check_lines("{", {{0}, {1}, false});
    check_lines("\r{}\r\r\n", {{0}, {4}, true});
    check_lines("a\n{}", {{0, 2}, {1, 4}, false});
}

}  // namespace
