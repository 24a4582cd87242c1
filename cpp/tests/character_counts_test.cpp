#include "ngram/character_counts.hpp"

#include <optional>
#include <string>
#include <vector>

#include "check.hpp"
#include "column_counts.hpp"
#include "ngram/kernels.hpp"
#include "ngram_documents.hpp"
#include "text_array.hpp"
#include "unicode/segment_tables.hpp"
#include "unicode/utf8.hpp"

// Counting characters by number gives the counts of named_ngrams(), the plain definition, and
// leaves out only documents with rules that it does not know.

namespace {

using namespace dsir::ngram;
using dsir::test::check_column_counts;
using dsir::test::named_buckets;
using dsir::test::Random;
using dsir::test::random_document;
using dsir::test::rounds;
using dsir::text::Case;
using dsir::text::TokenizerKind;
using Counts = std::vector<std::int64_t>;

constexpr TokenizerKind kKinds[] = {TokenizerKind::chars, TokenizerKind::codepoints};

std::string utf8_of(char32_t c) {
    std::uint8_t bytes[4];
    return {reinterpret_cast<const char*>(bytes), dsir::unicode::encode_utf8(c, bytes)};
}

FeatureSpec spec_of(TokenizerKind kind, Case letters) {
    return {2, 10000, HashKind::fast, {kind, letters}};
}

void add_named(const std::string& document, const FeatureSpec& spec, Counts& counts) {
    for (const std::uint32_t bucket : named_buckets(document, spec)) ++counts[bucket];
}

/// Letters, marks, white space and control characters of many scripts, which no rule but that of
/// marks joins.
const std::vector<char32_t> kMarked = {
    U'a',   U'Z',   U' ',   U'\n',  0x00,   0x07,    0x7F,    0x85,    0xA0,    0xAD,    0xC9,
    0xE9,   0xFF,   0x130,  0x131,  0x300,  0x301,   0x33F,   0x3A3,   0x3C2,   0x3C3,   0x410,
    0x44F,  0x5D0,  0x5B0,  0x627,  0x64B,  0x6CC,   0x7FF,   0x800,   0x915,   0x937,   0x93F,
    0x94D,  0x903,  0xD9A,  0xDCA,  0x1680, 0x1E9E,  0x2003,  0x200B,  0x200C,  0x2019,  0x2028,
    0x212A, 0x3000, 0x3001, 0x3042, 0x30AB, 0x3099,  0x4E2D,  0x9FFF,  0xAC00,  0xD7A3,  0xE000,
    0xFE0F, 0xFEFF, 0xFF21, 0xFF41, 0xFFFD, 0x10400, 0x1F600, 0x1F3FB, 0x20000, 0x10FFFF};

std::string random_text(Random& random, const std::vector<char32_t>& letters, std::size_t size) {
    std::string text;
    while (text.size() < size) {
        const char32_t letter = letters[random.below(letters.size())];
        const std::size_t times = random.below(8) == 0 ? random.below(20) : 1;
        for (std::size_t i = 0; i < times; ++i) text += utf8_of(letter);
        if (random.below(4) == 0) text += std::string(random.below(12), 'e');
    }
    return text;
}

std::vector<std::string> documents_of_marks(Random& random) {
    std::vector<std::string> documents = {"",
                                          "a",
                                          "\u00e9",
                                          "\u0301",
                                          " \u0301",
                                          "\u00a0\u0301\u0301",
                                          "\u0130",
                                          "\u0130\u0301",
                                          "\u00e9\u00e9",
                                          "\u03a3",
                                          "\u039f\u03a3 \u03a3\u03a3",
                                          "\u200b\u0301",
                                          "\x7f\u0301"};
    for (int i = 0; i < rounds(60); ++i) {
        // Few letters at a time, so that the same pairs come again.
        std::vector<char32_t> some;
        for (std::size_t k = 0; k < 1 + random.below(20); ++k) {
            some.push_back(kMarked[random.below(kMarked.size())]);
        }
        documents.push_back(random_text(random, some, random.below(2000)));
    }
    for (int i = 0; i < rounds(8); ++i) documents.push_back(random_document(random, 500));
    documents.push_back(random_text(random, kMarked, 20000));
    return documents;
}

TEST(counts_of_characters_equal_named_ngrams) {
    Random random(31);
    for (const TokenizerKind kind : kKinds) {
        for (const Case letters : {Case::lower, Case::as_written}) {
            const FeatureSpec spec = spec_of(kind, letters);
            CHECK(CharacterCounts::fit(spec));
            // Emptied at the end alone, and again and again.
            for (const std::uint64_t most : {CharacterCounts::kMostTokens, std::uint64_t{1}}) {
                CharacterCounts character_counts(spec, most);
                Counts expected(spec.buckets);
                Counts counts(spec.buckets);
                const std::vector<std::string> documents = documents_of_marks(random);
                std::size_t refused = 0;
                for (const std::string& document : documents) {
                    const auto outcome = character_counts.add(document, counts);
                    const auto streamed =
                        BucketStream(spec).run(document, [](std::span<const std::uint32_t>) {});
                    if (!outcome) {  // A cluster is too long.
                        ++refused;
                        continue;
                    }
                    CHECK(outcome->valid);
                    CHECK_EQUAL(outcome->tokens, streamed.tokens);
                    CHECK_EQUAL(outcome->features, streamed.features);
                    add_named(document, spec, expected);
                    const auto broken = character_counts.add(document + "\u00e9 \xc3", counts);
                    CHECK(broken && !broken->valid);
                }
                character_counts.finish(counts);
                CHECK(counts == expected);
                character_counts.finish(counts);  // nothing is left
                CHECK(counts == expected);
                CHECK(kind == TokenizerKind::chars ? refused < documents.size() / 4 : refused == 0);
            }
        }
    }
}

// Every character, beside a letter, after a mark and after one more of itself.
TEST(counts_of_every_character) {
    for (const TokenizerKind kind : kKinds) {
        const FeatureSpec spec = spec_of(kind, Case::lower);
        std::optional<CharacterCounts> character_counts(spec);
        Counts expected(spec.buckets);
        Counts counts(spec.buckets);
        std::size_t taken = 0;
        std::size_t refused = 0;
        for (char32_t c = 0; c < 0x30000; c += c < 0x3400 || c >= 0x1F000 ? 1 : 7) {
            if (c >= 0xD800 && c < 0xE000) continue;
            const std::string one = utf8_of(c);
            const std::string document = "a" + one + one + "\u0301" + one + " " + one + "b";
            if (++taken % 4096 == 0) {  // There are numbers for 2^16 tokens.
                character_counts->finish(counts);
                character_counts.emplace(spec);
            }
            if (character_counts->add(document, counts)) {
                add_named(document, spec, expected);
            } else {
                ++refused;
            }
        }
        character_counts->finish(counts);
        CHECK(counts == expected);
        CHECK(kind == TokenizerKind::codepoints ? refused == 0 : refused > 0 && refused < 2000);
    }
}

// Two bytes that are not UTF-8 after each first byte, where the bytes are taken together.
TEST(characters_that_are_not_utf8) {
    const FeatureSpec spec = spec_of(TokenizerKind::chars, Case::lower);
    for (unsigned first = 0x80; first < 0x100; ++first) {
        CharacterCounts character_counts(spec);
        Counts counts(spec.buckets);
        // Characters with numbers, so that the ways without decoding are taken.
        character_counts.add("\u00e9\u0430\u0627\u4e2d\u3042\u00c0\u07ff\u0800\uffff", counts);
        character_counts.finish(counts);
        const Counts before = counts;
        for (const unsigned second :
             {0x20U, 0x41U, 0x7FU, 0x80U, 0x9FU, 0xA0U, 0xA9U, 0xBFU, 0xC3U, 0xE3U}) {
            for (const char* const after :
                 {"", "aaaaaaaaaaaa", "\x80 aaaaaaaa", "\xbf\xbf aaaaa"}) {
                // Near the beginning, and where a block of 64 bytes ends.
                for (std::size_t at = 0; at < 66; at += at == 11 ? 47 : 1) {
                    const std::string document = std::string(at, 'a') + static_cast<char>(first) +
                                                 static_cast<char>(second) + after;
                    const auto outcome = character_counts.add(document, counts);
                    if (outcome) {
                        CHECK_EQUAL_FOR(first, outcome->valid, dsir::test::is_utf8(document));
                        if (!outcome->valid) continue;
                        Counts expected = before;
                        add_named(document, spec, expected);
                        character_counts.finish(counts);
                        CHECK(counts == expected);
                        counts = before;
                    }
                }
            }
        }
    }
}

// When numbers run out, documents without new characters are still counted.
TEST(no_numbers_left) {
    const FeatureSpec spec = spec_of(TokenizerKind::codepoints, Case::as_written);
    CharacterCounts character_counts(spec);
    Counts expected(spec.buckets);
    Counts counts(spec.buckets);
    std::size_t refused = 0;
    for (char32_t c = 0x20000; c < 0x20000 + 0x10100; c += 16) {
        std::string document;
        for (char32_t i = 0; i < 16; ++i) document += utf8_of(c + i);
        for (int twice = 0; twice < 2; ++twice) {
            if (character_counts.add(document, counts)) {
                add_named(document, spec, expected);
            } else {
                ++refused;
            }
        }
    }
    character_counts.finish(counts);
    CHECK(counts == expected);
    CHECK(refused > 0 && refused < 128);
}

TEST(documents_that_are_refused) {
    const FeatureSpec spec = spec_of(TokenizerKind::chars, Case::lower);
    CharacterCounts character_counts(spec);
    Counts counts(spec.buckets);
    const std::vector<std::string> documents = {
        "\u1100\u1161",                  // jamo
        "\U0001F1E9\U0001F1EA",          // a flag
        "\u0600a",                       // a sign before digits
        "\U0001F469\u200d\U0001F680",    // two pictographs and a joiner
        "e" + std::string(200, '\xcc'),  // not UTF-8, and
        std::string(std::size_t{1} << 21, 'a')};
    for (const std::string& document : documents) {
        const auto outcome = character_counts.add("some words before " + document, counts);
        CHECK(!outcome || !outcome->valid);
    }
    std::string marks = "e";
    for (int i = 0; i < 40; ++i) marks += "\u0301";
    CHECK(!character_counts.add(marks, counts));
    character_counts.finish(counts);
    CHECK(counts == Counts(spec.buckets));
    CHECK(!CharacterCounts::fit({1, 100, HashKind::fast, {TokenizerKind::chars}}));
    CHECK(!CharacterCounts::fit({2, 100, HashKind::sha256, {TokenizerKind::chars}}));
    CHECK(!CharacterCounts::fit({2, 100, HashKind::fast, {TokenizerKind::bytes}}));
    CHECK(!CharacterCounts::fit(
        {2, 100, HashKind::fast, {TokenizerKind::chars}, dsir::text::Form::nfc}));
}

// A column of so many bytes that count() counts characters by number.
TEST(columns_of_characters) {
    Random random(32);
    dsir::test::Rows rows;
    for (int i = 0; i < 90; ++i) {
        rows.push_back(random_text(random, kMarked, 40000));
        if (i % 10 == 0) rows.push_back("\U0001F1E9\U0001F1EA " + random_document(random, 500));
        if (i % 30 == 0) rows.push_back("broken \u00e9 \xff");
        if (i % 40 == 0) rows.push_back(std::nullopt);
    }
    for (const TokenizerKind kind : kKinds) {
        // A table that fits the near caches, and one that does not.
        const bool large = kind == TokenizerKind::codepoints;
        const FeatureSpec spec{2, large ? 1U << 20 : 5000U, HashKind::fast, {kind}};
        check_column_counts(rows, spec, {1, 2}, 3);
    }
}

}  // namespace
