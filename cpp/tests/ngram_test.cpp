#include <algorithm>
#include <span>

#include "check.hpp"
#include "ngram/bucket_stream.hpp"
#include "ngram/kernels.hpp"
#include "ngram_documents.hpp"

// named_ngrams() is the plain definition here, and the streams, count() and score() are compared
// with it. The tests in tests/core check that the definition is the reference's.

namespace {

using namespace dsir::ngram;
using dsir::test::kHashes;
using dsir::test::named_buckets;
using dsir::test::Random;
using dsir::test::random_document;
using dsir::test::rounds;
using dsir::text::kTokenizerCount;
using dsir::text::TokenizerKind;

TEST(named_ngrams_of_a_sentence) {
    std::vector<NamedNgram> named;
    CHECK(named_ngrams("Alice went, alice!", {3, 10000, HashKind::sha256}, named));
    std::vector<std::string> ngrams;
    for (const auto& one : named) ngrams.push_back(one.ngram);
    CHECK_EQUAL(ngrams, std::vector<std::string>{"alice", "went", "alice went", ",", "went ,",
                                                 "alice went ,", "alice", ", alice", "went , alice",
                                                 "!", "alice !", ", alice !"});
    CHECK_EQUAL(named[0].bucket, 6720);
    CHECK_EQUAL(named[2].bucket, 114);
    CHECK(!named_ngrams("a \xc3", {2, 10000, HashKind::fast}, named));
}

TEST(streams_equal_named_ngrams) {
    Random random(10);
    for (unsigned n = 1; n <= kMaxOrder; ++n) {
        for (std::size_t kind = 0; kind < kHashes.size() * kTokenizerCount; ++kind) {
            const auto tokenizer = static_cast<TokenizerKind>(kind / 2);
            if (tokenizer == TokenizerKind::ids) continue;  // takes no texts
            const FeatureSpec spec{
                n, n % 2 == 0 ? 10000U : kMaxBuckets, kHashes[kind % 2], {tokenizer}};
            BucketStream stream(spec);  // one for all documents: nothing may remain in it
            std::vector<std::string> documents = {"", "a", "a b", "a b c d e f g h i j"};
            for (int i = 0; i < rounds(25); ++i) {
                documents.push_back(random_document(random, random.below(i == 0 ? 3000 : 30)));
            }
            // Around the lengths that a numbered token, a block of SHA-256 and a stretch hold.
            for (const std::size_t length : {7, 8, 9, 15, 16, 17, 26, 27, 28, 55, 56, 4095, 9000}) {
                documents.push_back("x " + std::string(length, 'y') + " z " +
                                    std::string(length, 'y') + " z");
            }
            for (const std::string& document : documents) {
                std::vector<std::uint32_t> found;
                std::size_t most = 0;
                const auto outcome =
                    stream.run(document, [&](std::span<const std::uint32_t> buckets) {
                        found.insert(found.end(), buckets.begin(), buckets.end());
                        most = std::max(most, buckets.size());
                    });
                auto expected = named_buckets(document, spec);
                CHECK(outcome.valid);
                CHECK(most <= 8 * 2112);  // LogRatioTable relies on this
                CHECK_EQUAL(found.size(), ngram_count(outcome.tokens, n));
                std::sort(found.begin(), found.end());
                std::sort(expected.begin(), expected.end());
                CHECK_EQUAL_FOR(document.substr(0, 200), found, expected);
                // A document in between that is not UTF-8 leaves no trace.
                const auto broken =
                    stream.run(document + " \xff", [](std::span<const std::uint32_t>) {});
                CHECK(!broken.valid);
            }
        }
    }
}

// The tokenizers of characters take ASCII byte by byte, and after some bytes by a table of pairs.
TEST(streams_of_bytes_before_and_after_the_table_of_pairs) {
    Random random(13);
    std::string ascii;
    for (int i = 0; i < 9000; ++i) {
        ascii += static_cast<char>(random.below(128));  // controls and white space as well
    }
    const std::string mixed = "\u00e9A " + ascii.substr(0, 500) + "\u4e2d\u00c9 \u3000z";
    for (const TokenizerKind kind :
         {TokenizerKind::bytes, TokenizerKind::chars, TokenizerKind::codepoints}) {
        const auto letters =
            kind == TokenizerKind::chars ? dsir::text::Case::as_written : dsir::text::Case::lower;
        for (const unsigned n : {1U, 2U, 4U}) {
            const FeatureSpec spec{n, 10000, HashKind::fast, {kind, letters}};
            BucketStream stream(spec);
            const auto check = [&](const std::string& document) {
                std::vector<std::uint32_t> found;
                const auto outcome = stream.run(document, [&](auto buckets) {
                    found.insert(found.end(), buckets.begin(), buckets.end());
                });
                CHECK(outcome.valid);
                auto expected = named_buckets(document, spec);
                std::sort(found.begin(), found.end());
                std::sort(expected.begin(), expected.end());
                CHECK(found == expected);
            };
            check(ascii);
            check(mixed);
            if (n != 2) continue;
            for (int i = 0; i < 80; ++i) stream.run(ascii, [](auto) {});  // more than half a MB
            check(ascii);
            check(mixed);
        }
    }
}

// Tokens and n-grams get numbers until no number is left. Then everything is forgotten, even in the
// middle of a document.
TEST(sha256_ngrams_when_the_numbers_run_out) {
    Random random(11);
    for (const unsigned n : {1U, 2U, 3U, 8U}) {
        const FeatureSpec spec{n, 10000, HashKind::sha256};
        for (const std::uint32_t left : {1U, 3000U, 20000U}) {
            Sha256Ngrams ngrams(spec, std::make_unique<Sha256Memory>(0xFFFFFFFFU - left));
            dsir::text::TokenBuffer buffer;
            for (int i = 0; i < rounds(3); ++i) {
                const std::string document = random_document(random, 4000);
                std::vector<std::uint32_t> found;
                ngrams.start_document();
                dsir::text::WordPunct tokenizer(document, buffer);
                while (tokenizer.next()) {
                    const auto buckets = ngrams.take(buffer);
                    found.insert(found.end(), buckets.begin(), buckets.end());
                }
                auto expected = named_buckets(document, spec);
                std::sort(found.begin(), found.end());
                std::sort(expected.begin(), expected.end());
                CHECK(found == expected);
            }
        }
    }
}

// A call lends what it remembers to the next call, also to one with another number of buckets, with
// another n, or at the same time.
TEST(sha256_memory_is_of_one_number_of_buckets) {
    Random random(12);
    const std::string document = random_document(random, 3000);
    const auto check = [&](BucketStream& stream, const FeatureSpec& spec) {
        std::vector<std::uint32_t> found;
        stream.run(document, [&](std::span<const std::uint32_t> buckets) {
            found.insert(found.end(), buckets.begin(), buckets.end());
        });
        auto expected = named_buckets(document, spec);
        std::sort(found.begin(), found.end());
        std::sort(expected.begin(), expected.end());
        CHECK(found == expected);
    };
    for (const std::uint32_t buckets : {10000U, 777U, 10000U, 10000U}) {
        for (const unsigned n : {2U, 3U}) {
            const FeatureSpec spec{n, buckets, HashKind::sha256};
            const FeatureSpec other{2, buckets + 1, HashKind::sha256};
            BucketStream one(spec);
            BucketStream two(spec);
            BucketStream third(other);
            check(one, spec);
            check(third, other);
            check(two, spec);
            check(one, spec);
        }
    }
}

// More different tokens and n-grams than the tables begin with, seen twice: the tables grow and
// find their earlier entries again.
TEST(sha256_ngrams_of_many_tokens) {
    std::string document;
    for (int time = 0; time < 2; ++time) {
        for (int i = 0; i < 30000; ++i) document += std::to_string(i * 7919 % 30011) + " ";
    }
    const FeatureSpec spec{2, 10000, HashKind::sha256};
    BucketStream stream(spec);
    for (int time = 0; time < 2; ++time) {
        std::vector<std::uint32_t> found;
        stream.run(document, [&](std::span<const std::uint32_t> buckets) {
            found.insert(found.end(), buckets.begin(), buckets.end());
        });
        auto expected = named_buckets(document, spec);
        std::sort(found.begin(), found.end());
        std::sort(expected.begin(), expected.end());
        CHECK(found == expected);
    }
}

TEST(ngram_counts) {
    for (unsigned n = 1; n <= kMaxOrder; ++n) {
        for (std::uint64_t tokens = 0; tokens < 20; ++tokens) {
            std::uint64_t expected = 0;
            for (std::uint64_t end = 1; end <= tokens; ++end) {
                expected += std::min<std::uint64_t>(n, end);
            }
            CHECK_EQUAL(ngram_count(tokens, n), expected);
        }
    }
}

}  // namespace
