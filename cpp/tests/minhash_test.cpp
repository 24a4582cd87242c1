#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "contamination/finder.hpp"
#include "hashing/fast_hash.hpp"
#include "minhash/band_keys.hpp"
#include "ngram/kernels.hpp"
#include "ngram/score_together.hpp"
#include "ngram/several_watches.hpp"
#include "text_array.hpp"

namespace {

using dsir::hashing::fold;
using dsir::minhash::kBands;
using dsir::minhash::kBins;
using dsir::minhash::kOrder;
using dsir::minhash::kRows;
using dsir::test::Random;
using dsir::test::Row;
using dsir::test::Rows;
using dsir::test::TextArray;
using Keys = std::vector<std::uint64_t>;

Keys keys_of(const Rows& texts, unsigned threads = 1) {
    const auto array = TextArray::strings(texts);
    Keys keys(texts.size() * kBands, 1);
    dsir::minhash::band_keys(array->column(), {}, threads, keys.data());
    return keys;
}

std::vector<std::uint64_t> token_hashes(const std::string& text) {
    std::vector<std::uint64_t> hashes;
    std::string token;
    for (const char byte : text + " ") {
        if (byte != ' ') {
            token += byte;
        } else if (!token.empty()) {
            const std::size_t size = token.size();
            token.append(8, '\0');
            hashes.push_back(dsir::hashing::token_hash(
                reinterpret_cast<const std::uint8_t*>(token.data()), size));
            token.clear();
        }
    }
    return hashes;
}

/// The keys by the definition: every n-gram from its tokens, every bin from all n-grams.
std::vector<std::uint64_t> defined(const std::string& text) {
    const std::vector<std::uint64_t> tokens = token_hashes(text);
    std::vector<std::uint64_t> keys(kBands);
    if (tokens.empty()) return keys;
    std::set<std::uint64_t> hashes;
    const std::size_t n = std::min<std::size_t>(kOrder, tokens.size());
    for (std::size_t at = 0; at + n <= tokens.size(); ++at) {
        std::uint64_t ngram = 0;
        for (std::size_t i = at; i < at + n; ++i) {
            ngram = ngram * dsir::hashing::kRoot2 + tokens[i];
        }
        hashes.insert(fold(ngram ^ dsir::hashing::kRoot7, dsir::hashing::kRoot11));
    }
    const auto bin_of = [](std::uint64_t hash) { return dsir::hashing::bucket_of(hash, kBins); };
    std::vector<std::vector<std::uint64_t>> bins(kBins);
    for (const std::uint64_t hash : hashes) bins[bin_of(hash)].push_back(hash);
    std::vector<std::uint64_t> least(kBins);
    for (unsigned bin = 0; bin < kBins; ++bin) {
        const auto drawn = [bin](std::uint64_t other) {
            return fold(bin ^ dsir::hashing::kRoot3, other ^ dsir::hashing::kRoot5);
        };
        unsigned lender = kBins;
        for (unsigned other = 0; other < kBins; ++other) {
            if (bins[other].empty()) continue;
            if (lender == kBins || drawn(other) < drawn(lender)) lender = other;
        }
        const auto& own = bins[bin].empty() ? bins[lender] : bins[bin];
        least[bin] = *std::min_element(own.begin(), own.end());
    }
    for (unsigned band = 0; band < kBands; ++band) {
        keys[band] = band;
        for (unsigned i = 0; i < kRows; ++i) {
            keys[band] = fold(keys[band] ^ dsir::hashing::kRoot2,
                              least[band * kRows + i] ^ dsir::hashing::kRoot3);
        }
    }
    return keys;
}

std::string words(Random& random, std::size_t count, std::size_t vocabulary) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += std::to_string(random.below(vocabulary)) + " ";
    return text;
}

}  // namespace

TEST(keys_are_those_of_the_definition) {
    Random random(1);
    Rows texts = {"a", "a b c d", "a b c d e", "", " ", std::nullopt};
    for (int i = 0; i < 60; ++i) {
        texts.push_back(words(random, random.below(i < 50 ? 40 : 900), 1 + random.below(500)));
    }
    const Keys keys = keys_of(texts);
    for (std::size_t row = 0; row < texts.size(); ++row) {
        const auto expected = defined(texts[row].value_or(""));
        for (std::size_t band = 0; band < kBands; ++band) {
            CHECK_EQUAL(keys[band * texts.size() + row], expected[band]);
        }
    }
}

TEST(keys_do_not_depend_on_the_threads_or_the_other_rows) {
    Random random(2);
    Rows texts;
    for (int i = 0; i < 100; ++i) texts.push_back(words(random, random.below(200), 50));
    const Keys keys = keys_of(texts);
    CHECK(keys_of(texts, 3) == keys);
    const Keys last = keys_of({texts.back()});
    for (std::size_t band = 0; band < kBands; ++band) {
        CHECK_EQUAL(last[band], keys[band * texts.size() + texts.size() - 1]);
    }
}

/// Passes that score: by one table, or by tables of several kinds of n-grams together.
void score_with(const std::vector<dsir::ngram::FeatureSpec>& specs,
                const dsir::arrow::TextColumn& column, unsigned threads,
                const dsir::ngram::TokenWatches& watches) {
    const auto rows = static_cast<std::size_t>(column.size());
    const std::vector<double> ratios(64, 0.5);
    const dsir::ngram::LogRatioTable table(ratios.data(), 1, ratios.size());
    const dsir::ngram::Weighing weighing{1, 0, {}, {}};
    std::vector<double> log_weight(rows);
    std::vector<std::uint32_t> tokens(rows), bytes(rows);
    std::vector<dsir::text::RowStatus> status(rows);
    const dsir::ngram::ScoreOutput out{log_weight.data(), tokens.data(), bytes.data(),
                                       status.data()};
    if (specs.size() == 1) {
        return dsir::ngram::score(column, specs[0], table, weighing, threads, out, &watches);
    }
    std::vector<dsir::ngram::ScorePart> parts;
    for (const auto& spec : specs) {
        parts.push_back(dsir::ngram::part_of(spec, table, weighing));
    }
    dsir::ngram::score_together(column, parts, threads, std::vector(parts.size(), out), &watches);
}

TEST(a_pass_that_scores_makes_the_same_keys_beside_other_watches) {
    using dsir::contamination::NgramIndex;
    using dsir::ngram::FeatureSpec;
    Random random(5);
    Rows texts = {"a b", "", std::nullopt, "a b c d e f \xFF"};
    for (int i = 0; i < 60; ++i) texts.push_back(words(random, random.below(300), 40));
    texts.push_back(words(random, 60000, 100000));
    const auto array = TextArray::strings(texts);
    const auto column = array->column();
    const std::size_t rows = texts.size();
    const NgramIndex index(TextArray::strings({*texts[40], *texts[9]})->column(), {}, 3);
    struct Shared {
        explicit Shared(std::size_t size) : ngrams(size), text(size) {}
        std::vector<std::uint32_t> ngrams, text;
        dsir::contamination::Found out() { return {ngrams.data(), text.data(), 50}; }
    };
    Shared expected(rows);
    dsir::contamination::find(column, index, 1, expected.out());
    const FeatureSpec fast{.n = 2, .buckets = 64};
    const FeatureSpec longer{.n = 3, .buckets = 64};
    const FeatureSpec sha256{.n = 1, .buckets = 64, .hash = dsir::ngram::HashKind::sha256};
    const std::vector<std::vector<FeatureSpec>> passes{
        {fast}, {fast, fast}, {fast, longer}, {fast, sha256}, {sha256, longer, fast}};
    for (unsigned run = 0; run < passes.size() * 4; ++run) {
        const unsigned which = run % 4;
        for (const unsigned threads : {1U, 3U}) {
            Keys keys(rows * kBands, 1);
            Shared shared(rows);
            const dsir::contamination::Finders finders(index, shared.out(),
                                                       static_cast<std::int64_t>(rows));
            const dsir::minhash::BandKeysOfRows band_keys(keys.data(),
                                                          static_cast<std::int64_t>(rows));
            std::vector<const dsir::ngram::TokenWatches*> watches;
            if ((which & 1U) != 0) watches.push_back(&finders);
            if ((which & 2U) != 0) watches.push_back(&band_keys);
            score_with(passes[run / 4], column, threads, dsir::ngram::SeveralWatches(watches));
            CHECK(keys == ((which & 2U) != 0 ? keys_of(texts) : Keys(rows * kBands, 0)));
            CHECK_EQUAL(shared.ngrams == expected.ngrams, (which & 1U) != 0);
            CHECK_EQUAL(shared.text == expected.text, (which & 1U) != 0);
        }
    }
}

TEST(a_text_of_a_stretch_and_more_has_the_keys_of_its_tokens) {
    // Tokens come in stretches, and n-grams go on from one to the next.
    Random random(3);
    const std::string text = words(random, 60000, 100000);
    const Keys keys = keys_of({text});
    CHECK(keys == defined(text));
}

TEST(texts_that_are_not_utf8_have_no_keys) {
    const Keys keys = keys_of({"a b c d e f \xFF", "a b c d e f"});
    for (std::size_t band = 0; band < kBands; ++band) {
        CHECK_EQUAL(keys[band * 2], 0U);
        CHECK(keys[band * 2 + 1] != 0);
    }
}

TEST(similar_texts_share_a_band_as_often_as_the_formula_says) {
    // Pairs of sets of 5-grams with a Jaccard similarity near s: the second text has another word
    // in some places, and each of these changes five 5-grams.
    Random random(4);
    for (const std::size_t changes : {2U, 6U, 12U, 40U}) {
        constexpr std::size_t kTokens = 300, kPairs = 300;
        Rows texts;
        for (std::size_t pair = 0; pair < kPairs; ++pair) {
            std::vector<std::string> tokens;
            for (std::size_t i = 0; i < kTokens; ++i) {
                tokens.push_back("w" + std::to_string(random.below(1000000)));
            }
            for (int side = 0; side < 2; ++side) {
                std::string text;
                for (const std::string& token : tokens) text += token + " ";
                texts.push_back(text);
                for (std::size_t i = 0; i < changes; ++i) {
                    tokens[5 + i * (kTokens - 10) / changes] += "x";
                }
            }
        }
        const Keys keys = keys_of(texts);
        int shared = 0;
        for (std::size_t pair = 0; pair < kPairs; ++pair) {
            for (std::size_t band = 0; band < kBands; ++band) {
                const std::size_t at = band * texts.size() + 2 * pair;
                if (keys[at] == keys[at + 1]) {
                    ++shared;
                    break;
                }
            }
        }
        const double lost = 5.0 * static_cast<double>(changes), all = kTokens - 4;
        const double similarity = (all - lost) / (all + lost);
        const double expected = 1 - std::pow(1 - std::pow(similarity, kRows), kBands);
        const double share = shared / static_cast<double>(kPairs);
        const double spread = std::sqrt(expected * (1 - expected) / kPairs);
        CHECK(std::abs(share - expected) < 0.03 + 4 * spread);
    }
}
