#include "ngram/byte_counts.hpp"

#include <string>
#include <vector>

#include "check.hpp"
#include "column_counts.hpp"
#include "ngram/kernels.hpp"
#include "ngram_documents.hpp"
#include "text_array.hpp"

// Counting pairs of bytes gives the counts of named_ngrams(), the plain definition.

namespace {

using namespace dsir::ngram;
using dsir::test::check_column_counts;
using dsir::test::named_buckets;
using dsir::test::Random;
using dsir::test::random_document;
using dsir::test::rounds;
using dsir::test::TextArray;
using dsir::text::Case;
using dsir::text::TokenizerKind;
using Counts = std::vector<std::int64_t>;

constexpr TokenizerKind kKinds[] = {TokenizerKind::bytes, TokenizerKind::chars,
                                    TokenizerKind::codepoints};

std::string random_ascii(Random& random, std::size_t size) {
    std::string ascii;
    while (ascii.size() < size) ascii += static_cast<char>(random.below(128));
    return ascii;
}

/// ASCII documents, short and long, of white space alone, and empty.
std::vector<std::string> ascii_documents(Random& random) {
    std::vector<std::string> documents = {"", "a", " ", "ab", "A b\n", std::string(3000, ' ')};
    for (int i = 0; i < rounds(8); ++i) {
        documents.push_back(random_ascii(random, random.below(9000)));
    }
    documents.push_back(std::string(4000, ' ') + "x" + std::string(4000, ' ') + "Y");
    return documents;
}

void add_named(const std::string& document, const FeatureSpec& spec, Counts& counts) {
    for (const std::uint32_t bucket : named_buckets(document, spec)) ++counts[bucket];
}

TEST(counts_of_pairs_equal_named_ngrams) {
    Random random(21);
    for (const TokenizerKind kind : kKinds) {
        const Case letters = kind == TokenizerKind::chars ? Case::as_written : Case::lower;
        const FeatureSpec spec{2, 10000, HashKind::fast, {kind, letters}};
        CHECK(ByteCounts::fit(spec));
        // Emptied at the end alone, and again and again.
        for (const std::uint64_t most : {ByteCounts::kMostTokens, std::uint64_t{1}}) {
            ByteCounts byte_counts(spec, most);
            Counts expected(spec.buckets);
            Counts counts(spec.buckets);
            std::vector<std::string> documents = ascii_documents(random);
            const std::string other = random_document(random, 3000) + "\u00c9 \u4e2d\u3000";
            CHECK_EQUAL(byte_counts.takes(other), kind == TokenizerKind::bytes);
            if (kind == TokenizerKind::bytes) documents.push_back(other);
            for (const std::string& document : documents) {
                CHECK(byte_counts.takes(document));
                const auto outcome = byte_counts.add(document, counts);
                const auto streamed =
                    BucketStream(spec).run(document, [](std::span<const std::uint32_t>) {});
                CHECK(outcome.valid);
                CHECK_EQUAL(outcome.tokens, streamed.tokens);
                CHECK_EQUAL(outcome.features, streamed.features);
                add_named(document, spec, expected);
                if (kind == TokenizerKind::bytes) {
                    CHECK(!byte_counts.add(document + " \xff", counts).valid);
                }
            }
            byte_counts.finish(counts);
            CHECK(counts == expected);
            byte_counts.finish(counts);  // nothing is left
            CHECK(counts == expected);
        }
    }
}

TEST(specs_that_do_not_fit) {
    const auto fits = [](FeatureSpec spec) { return ByteCounts::fit(spec); };
    CHECK(fits({2, 100, HashKind::fast, {TokenizerKind::codepoints}}));
    CHECK(!fits({1, 100, HashKind::fast, {TokenizerKind::bytes}}));
    CHECK(!fits({3, 100, HashKind::fast, {TokenizerKind::bytes}}));
    CHECK(!fits({2, 100, HashKind::sha256, {TokenizerKind::bytes}}));
    CHECK(!fits({2, 100, HashKind::fast, {TokenizerKind::unicode}}));
    CHECK(!fits({2, 100, HashKind::fast, {TokenizerKind::bytes}, dsir::text::Form::nfc}));
}

// A column of so many bytes that count() counts pairs, among documents that it does not.
TEST(columns_with_and_without_pairs) {
    Random random(22);
    dsir::test::Rows rows;
    for (int i = 0; i < 90; ++i) {
        rows.push_back(random_ascii(random, 20000));
        if (i % 10 == 0) rows.push_back(random_document(random, 2000) + "\u00e9");
        if (i % 30 == 0) rows.push_back("broken \xff ascii");
        if (i % 40 == 0) rows.push_back(std::nullopt);
    }
    for (const TokenizerKind kind : kKinds) {
        const FeatureSpec spec{2, 5000, HashKind::fast, {kind}};
        check_column_counts(rows, spec, {1, 3}, 3);
        // A limit on the way: counting stops after the same row.
        const auto array = TextArray::strings(rows);
        Counts few(spec.buckets);
        const CountResult found = count(array->column(), spec, 700000, 3, few.data());
        CHECK(found.rows < array->column().size());
        const auto shorter =
            TextArray::strings(dsir::test::Rows(rows.begin(), rows.begin() + found.rows));
        Counts first(spec.buckets);
        count(shorter->column(), spec, -1, 1, first.data());
        CHECK(few == first);
    }
}

}  // namespace
