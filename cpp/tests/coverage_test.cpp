#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "coverage/bucket_lists.hpp"
#include "coverage/covering.hpp"
#include "coverage/relevance.hpp"
#include "ngram/bucket_stream.hpp"
#include "ngram/log_ratio_table.hpp"
#include "text_array.hpp"

// Coverage and relevance against sums over the n-grams of each document, taken one by one.

namespace {

using namespace dsir::coverage;
using dsir::ngram::BucketStream;
using dsir::ngram::FeatureSpec;
using dsir::ngram::LogRatioTable;
using dsir::test::Random;
using dsir::test::Row;
using dsir::test::Rows;
using dsir::test::TextArray;
using Buckets = std::vector<std::uint32_t>;

/// Entries of a table are multiples of 2^-44.
constexpr double kNear = 1e-11;

FeatureSpec some_spec(std::size_t buckets = 97) {
    FeatureSpec spec;
    spec.buckets = static_cast<std::uint32_t>(buckets);
    return spec;
}

Rows some_rows(Random& random, int count) {
    Rows rows = {"", std::nullopt, "broken \xff", "one"};
    for (int i = 0; i < count; ++i) {
        std::string text;
        for (std::size_t left = random.below(30); left > 0; --left) {
            text += "word" + std::to_string(random.below(40)) + " ";
        }
        rows.push_back(text);
    }
    return rows;
}

Buckets buckets_of(const Row& row, const FeatureSpec& spec) {
    Buckets found;
    if (!row) return found;
    BucketStream stream(spec);
    const auto outcome = stream.run(*row, [&found](std::span<const std::uint32_t> some) {
        found.insert(found.end(), some.begin(), some.end());
    });
    if (!outcome.valid) found.clear();
    return found;
}

std::vector<std::int64_t> all_of(const Rows& rows) {
    std::vector<std::int64_t> positions(rows.size());
    std::iota(positions.begin(), positions.end(), 0);
    return positions;
}

ListsView view_of(const BucketLists& lists) {
    return {lists.offsets, lists.buckets};
}

double mean(const Buckets& buckets, const std::vector<double>& table) {
    double sum = 0;
    for (const std::uint32_t bucket : buckets) sum += table[bucket];
    return buckets.empty() ? 0 : sum / static_cast<double>(buckets.size());
}

/// The gains by their definition.
std::vector<double> gains_of(const std::vector<double>& wanted,
                             const std::vector<double>& smoothing, double largest,
                             const std::vector<std::int64_t>& counts) {
    std::vector<double> gains;
    for (std::size_t b = 0; b < counts.size(); ++b) {
        const double found = static_cast<double>(counts[b]) + smoothing[b];
        gains.push_back(std::min(wanted[b] / found, largest));
    }
    return gains;
}

}  // namespace

TEST(lists_are_the_buckets_of_the_rows_asked_for) {
    Random random(1);
    const FeatureSpec spec = some_spec();
    const Rows rows = some_rows(random, 200);
    const auto array = TextArray::strings(rows);
    std::vector<std::int64_t> positions = all_of(rows);
    std::erase_if(positions, [&random](std::int64_t) { return random.below(3) == 0; });
    for (const unsigned threads : {1U, 4U}) {
        const BucketLists lists = bucket_lists(array->column(), spec, positions, threads);
        CHECK_EQUAL(lists.offsets.size(), positions.size() + 1);
        for (std::size_t i = 0; i < positions.size(); ++i) {
            const auto found = view_of(lists)[static_cast<std::int64_t>(i)];
            const auto expected = buckets_of(rows[static_cast<std::size_t>(positions[i])], spec);
            CHECK(Buckets(found.begin(), found.end()) == expected);
        }
    }
}

TEST(gains_follow_what_is_selected) {
    Random random(2);
    // With few buckets most entries change in a round, with many only a few do.
    for (const std::size_t buckets : {std::size_t{13}, std::size_t{1} << 14}) {
        const FeatureSpec spec = some_spec(buckets);
        const Rows rows = some_rows(random, 120);
        const BucketLists lists =
            bucket_lists(TextArray::strings(rows)->column(), spec, all_of(rows), 1);
        std::vector<double> wanted(buckets), smoothing(buckets);
        for (std::size_t b = 0; b < buckets; ++b) {
            wanted[b] = random.below(3) == 0 ? 0 : random.uniform() * 40;
            smoothing[b] = 0.01 + random.uniform();
        }
        Covering covering(wanted, smoothing, 20);
        std::vector<std::int64_t> counts(buckets);
        std::vector<std::uint8_t> left(rows.size(), 1);
        for (int round = 0; round < 6; ++round) {
            const auto expected = gains_of(wanted, smoothing, 20, counts);
            CHECK(covering.gains() == expected);
            std::vector<double> found(rows.size(), 7), again(rows.size(), 7);
            covering.mean_gains(view_of(lists), left.data(), 1, found.data());
            covering.mean_gains(view_of(lists), left.data(), 3, again.data());
            CHECK(found == again);
            for (std::size_t row = 0; row < rows.size(); ++row) {
                const double one = left[row] == 0 ? 0 : mean(buckets_of(rows[row], spec), expected);
                CHECK(std::abs(found[row] - one) < kNear);
            }
            // Few documents in one round, many in the next.
            std::vector<std::uint8_t> taken(rows.size());
            for (std::size_t row = 0; row < rows.size(); ++row) {
                taken[row] = left[row] != 0 && random.below(round % 2 == 0 ? 20 : 3) == 0 ? 1 : 0;
                left[row] -= taken[row];
            }
            covering.add(view_of(lists), taken.data());
            add_counts(view_of(lists), taken.data(), counts.data());
        }
    }
}

TEST(counts_are_those_of_the_documents_that_are_wanted) {
    Random random(3);
    const FeatureSpec spec = some_spec();
    const Rows rows = some_rows(random, 50);
    const BucketLists lists =
        bucket_lists(TextArray::strings(rows)->column(), spec, all_of(rows), 2);
    std::vector<std::uint8_t> wanted(rows.size());
    std::vector<std::int64_t> expected(spec.buckets), found(spec.buckets);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        wanted[row] = static_cast<std::uint8_t>(random.below(2));
        if (wanted[row] == 0) continue;
        for (const std::uint32_t bucket : buckets_of(rows[row], spec)) ++expected[bucket];
    }
    add_counts(view_of(lists), wanted.data(), found.data());
    CHECK(found == expected);
}

TEST(a_long_document_has_the_mean_of_all_its_ngrams) {
    // More n-grams than are summed in 64 bits at once.
    const std::size_t ngrams = 100'003;
    Buckets buckets(ngrams);
    for (std::size_t i = 0; i < ngrams; ++i) buckets[i] = static_cast<std::uint32_t>(i % 2);
    const std::vector<std::int64_t> offsets = {0, static_cast<std::int64_t>(ngrams)};
    const std::vector<double> entries = {23.5, 22.5};
    const LogRatioTable table(entries.data(), 1, 2);
    const std::uint8_t wanted = 1;
    double found = 0;
    mean_entries({offsets, buckets}, table, &wanted, 1, &found);
    CHECK(std::abs(found - (23 + 0.5 / static_cast<double>(ngrams))) < kNear);
}

TEST(relevance_is_that_of_the_formula) {
    const std::vector<std::int64_t> target = {0, 3, 40, 0, 1000000}, raw = {5, 0, 10, 0, 0};
    const double prior = 0.05;
    const auto shares = raw_shares(raw.data(), raw.size());
    const auto found = relevance(target.data(), raw.data(), raw.size(), prior);
    for (std::size_t b = 0; b < raw.size(); ++b) {
        const double in_raw = std::max(static_cast<double>(raw[b]), 0.5) / 15;
        CHECK(std::abs(shares[b] - in_raw) < 1e-15);
        const double in_target = static_cast<double>(target[b]) / 1000043;
        const double expected = std::log((in_target / in_raw + prior) / (1 + prior));
        CHECK(std::abs(found[b] - expected) < 1e-12);
    }
}

TEST(a_document_that_is_left_out_does_not_speak_for_itself) {
    Random random(4);
    const FeatureSpec spec = some_spec();
    const Rows rows = some_rows(random, 60);
    std::vector<std::int64_t> target(spec.buckets), raw(spec.buckets);
    for (const Row& row : rows) {
        for (const std::uint32_t bucket : buckets_of(row, spec)) ++target[bucket];
    }
    for (auto& count : raw) count = static_cast<std::int64_t>(random.below(9));
    const double prior = 0.2;
    const auto array = TextArray::strings(rows);
    const LeftOneOut left_one_out(target.data(), raw.data(), spec.buckets, prior);
    std::vector<double> found(rows.size(), 7), again(rows.size(), 7);
    std::vector<std::uint32_t> tokens(rows.size(), 7), same(rows.size(), 7);
    left_one_out.score(array->column(), spec, 1, found.data(), tokens.data());
    left_one_out.score(array->column(), spec, 3, again.data(), same.data());
    CHECK(found == again && tokens == same);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const Buckets buckets = buckets_of(rows[row], spec);
        auto others = target;
        for (const std::uint32_t bucket : buckets) --others[bucket];
        const double total =
            static_cast<double>(std::accumulate(others.begin(), others.end(), std::int64_t{0}));
        const double all = total + static_cast<double>(buckets.size());
        const auto shares = raw_shares(raw.data(), raw.size());
        double sum = 0;
        for (const std::uint32_t bucket : buckets) {
            // The pseudo-counts of the prior are those of the whole target.
            const double ratio = static_cast<double>(others[bucket]) / shares[bucket];
            sum += std::log((ratio + prior * all) / (total + prior * all));
        }
        const double expected = buckets.empty() ? 0 : sum / static_cast<double>(buckets.size());
        CHECK(std::abs(found[row] - expected) < 1e-9);
        CHECK_EQUAL(tokens[row] == 0, buckets.empty());
    }
}
