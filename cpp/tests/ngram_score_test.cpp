#include <algorithm>
#include <cmath>

#include "check.hpp"
#include "ngram/entry_codes.hpp"
#include "ngram/kernels.hpp"
#include "ngram_documents.hpp"
#include "text_array.hpp"

// named_ngrams() is the plain definition here, and the streams, count() and score() are compared
// with it. The tests in tests/core check that the definition is the reference's.

namespace {

using namespace dsir::ngram;
using dsir::test::is_utf8;
using dsir::test::kHashes;
using dsir::test::named_buckets;
using dsir::test::Random;
using dsir::test::random_rows;
using dsir::test::Row;
using dsir::test::Rows;
using dsir::test::TextArray;
using dsir::text::kLargestDocument;
using dsir::text::RowStatus;

struct Counted {
    std::vector<std::int64_t> counts;
    std::int64_t rows = 0;
    std::int64_t ngrams = 0;
    std::vector<std::int64_t> invalid_rows;
};

Counted count_plainly(const Rows& rows, const FeatureSpec& spec, std::int64_t limit) {
    Counted counted;
    counted.counts.resize(spec.buckets);
    for (const Row& row : rows) {
        const std::int64_t at = counted.rows++;
        if (!row) continue;
        if (!is_utf8(*row)) {
            counted.invalid_rows.push_back(at);
            continue;
        }
        for (const std::uint32_t bucket : named_buckets(*row, spec)) {
            ++counted.counts[bucket];
            ++counted.ngrams;
        }
        if (limit >= 0 && counted.ngrams > limit) break;
    }
    return counted;
}

void check_count(const dsir::arrow::TextColumn& column, const FeatureSpec& spec, std::int64_t limit,
                 unsigned threads, const Counted& expected) {
    std::vector<std::int64_t> counts(spec.buckets, 5);  // counts that are there already stay
    const CountResult result = count(column, spec, limit, threads, counts.data());
    for (auto& entry : counts) entry -= 5;
    CHECK_EQUAL(result.rows, expected.rows);
    CHECK_EQUAL(result.ngrams, expected.ngrams);
    CHECK_EQUAL(result.invalid_rows, expected.invalid_rows);
    CHECK(counts == expected.counts);
}

TEST(count_equals_named_ngrams_on_any_threads) {
    Random random(11);
    for (const HashKind hash : kHashes) {
        for (const unsigned n : {1U, 2U, 3U, 5U}) {
            const FeatureSpec spec{n, 1000, hash};
            const Rows rows = random_rows(random, 90);
            const auto array = TextArray::strings(rows);
            for (const std::int64_t limit : {-1, 0, 1, 100, 2000, 10000000}) {
                const Counted expected = count_plainly(rows, spec, limit);
                CHECK(limit >= 0 || !expected.invalid_rows.empty());
                for (const unsigned threads : {1U, 2U, 7U}) {
                    check_count(array->column(), spec, limit, threads, expected);
                }
            }
        }
    }
}

TEST(count_stops_at_every_limit) {
    const Rows rows = {"a b", std::nullopt, "\xff", "c", "", "d e f", "g"};
    const auto array = TextArray::strings(rows);
    const FeatureSpec spec{2, 16, HashKind::fast};
    for (std::int64_t limit = -1; limit <= 13; ++limit) {
        const Counted expected = count_plainly(rows, spec, limit);
        for (const unsigned threads : {1U, 3U}) {
            check_count(array->column(), spec, limit, threads, expected);
        }
    }
    // The first row reaches the limit; only a row with which the sum exceeds it ends the count.
    CHECK_EQUAL(count_plainly(rows, spec, 0).rows, 1);
    CHECK_EQUAL(count_plainly(rows, spec, 3).rows, 4);
}

struct Scored {
    explicit Scored(std::size_t rows)
        : log_weight(rows, 77), tokens(rows, 77), bytes(rows, 77), status(rows) {}
    ScoreOutput output() { return {log_weight.data(), tokens.data(), bytes.data(), status.data()}; }
    bool operator==(const Scored&) const = default;
    std::vector<double> log_weight;
    std::vector<std::uint32_t> tokens, bytes;
    std::vector<RowStatus> status;
};

const Weighing kSum;
const Weighing kMean{1, 1.0, {}, {}};

Scored score_rows(const dsir::arrow::TextColumn& column, const FeatureSpec& spec,
                  const LogRatioTable& table, const Weighing& weighing, unsigned threads) {
    Scored scored(static_cast<std::size_t>(column.size()));
    scored.log_weight.assign(scored.tokens.size() * weighing.columns(), 77);
    score(column, spec, table, weighing, threads, scored.output());
    return scored;
}

std::vector<double> random_ratios(Random& random, std::size_t size) {
    std::vector<double> ratios(size);
    for (double& ratio : ratios) ratio = 36 * (random.uniform() - 0.5);
    return ratios;
}

LogRatioTable random_table(Random& random, std::size_t buckets) {
    return {random_ratios(random, buckets).data(), 1, buckets};
}

const std::int64_t* entries(const LogRatioTable& table) {
    return table.groups()[0].data;
}

TEST(score_is_the_sum_of_table_entries) {
    Random random(12);
    for (const HashKind hash : kHashes) {
        for (const unsigned n : {1U, 2U, 3U, 8U}) {
            const FeatureSpec spec{n, 1000, hash};
            const LogRatioTable table = random_table(random, spec.buckets);
            const Rows rows = random_rows(random, 60);
            Scored sums(rows.size());
            Scored means(rows.size());
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const bool valid = rows[i] && is_utf8(*rows[i]);
                int128 sum = 0;
                std::uint32_t tokens = 0;
                double ngrams = 0;
                if (valid) {
                    for (const auto bucket : named_buckets(*rows[i], spec)) {
                        sum += entries(table)[bucket];
                        ++ngrams;
                    }
                    tokens = static_cast<std::uint32_t>(
                        named_buckets(*rows[i], {1, spec.buckets, hash}).size());
                }
                sums.log_weight[i] = std::ldexp(static_cast<double>(sum), -44);
                means.log_weight[i] = ngrams == 0 ? 0 : sums.log_weight[i] / ngrams;
                sums.tokens[i] = means.tokens[i] = tokens;
                sums.bytes[i] = means.bytes[i] =
                    rows[i] ? static_cast<std::uint32_t>(rows[i]->size()) : 0;
                sums.status[i] = means.status[i] = valid     ? RowStatus::text
                                                   : rows[i] ? RowStatus::invalid_utf8
                                                             : RowStatus::null;
            }
            const auto array = TextArray::strings(rows);
            const auto views = TextArray::views(rows);
            for (const unsigned threads : {1U, 2U, 7U}) {
                CHECK(score_rows(array->column(), spec, table, kSum, threads) == sums);
                CHECK(score_rows(array->column(), spec, table, kMean, threads) == means);
                CHECK(score_rows(views->column(), spec, table, kSum, threads) == sums);
            }
        }
    }
}

TEST(several_targets_in_one_pass_equal_one_after_the_other) {
    Random random(13);
    const FeatureSpec spec{2, 500, HashKind::fast};
    const Rows rows = random_rows(random, 60);
    const auto array = TextArray::strings(rows);
    for (const std::size_t targets : {2U, 3U, 4U, 5U, 8U, 9U, 17U}) {
        const auto ratios = random_ratios(random, targets * spec.buckets);
        const LogRatioTable table(ratios.data(), targets, spec.buckets);
        Weighing weighing;
        weighing.targets = targets;
        const Scored together = score_rows(array->column(), spec, table, weighing, 1);
        CHECK(score_rows(array->column(), spec, table, weighing, 3) == together);
        for (std::size_t t = 0; t < targets; ++t) {
            const LogRatioTable alone(ratios.data() + t * spec.buckets, 1, spec.buckets);
            const Scored expected = score_rows(array->column(), spec, alone, kSum, 1);
            const auto first =
                together.log_weight.begin() + static_cast<std::ptrdiff_t>(t * rows.size());
            CHECK(std::equal(expected.log_weight.begin(), expected.log_weight.end(), first));
            CHECK(expected.tokens == together.tokens);
            CHECK(expected.status == together.status);
        }
    }
}

TEST(length_policies) {
    const auto weigh = [](const Weighing& weighing, std::uint64_t tokens, std::uint64_t ngrams,
                          std::vector<double> sums) {
        weighing.apply(tokens, ngrams, sums.data());
        sums.resize(weighing.columns());
        return sums;
    };
    CHECK_EQUAL(weigh(kSum, 4, 7, {-3.5}), std::vector<double>{-3.5});
    CHECK_EQUAL(weigh(kMean, 4, 7, {-3.5}), std::vector<double>{-0.5});
    const double root = weigh({1, 0.5, {}, {}}, 4, 7, {-3.5})[0];
    CHECK(std::abs(root + 3.5 / std::sqrt(7.0)) < 1e-15);
    // 4 tokens, while the target has 6 on average and raw has 3.
    const double poisson = weigh({1, 0, {poisson_terms(6, 3)}, {}}, 4, 7, {-3.5})[0];
    CHECK(std::abs(poisson - (-3.5 + 4 * std::log(2.0) - 3)) < 1e-14);
    const Weighing mixture{3, 0, {}, {0.25, 0.0, 0.75}};
    const auto mixed = weigh(mixture, 4, 7, {-3.5, 900.0, -2.0});
    CHECK_EQUAL(mixed.size(), 1);
    CHECK(std::abs(mixed[0] - std::log(0.25 * std::exp(-3.5) + 0.75 * std::exp(-2.0))) < 1e-15);
    // Far apart and far from 1: no overflow, and no logarithm of zero.
    CHECK_EQUAL(weigh({2, 0, {}, {0.5, 0.5}}, 4, 7, {-5000.0, 3000.0})[0], 3000 + std::log(0.5));
    CHECK_EQUAL(weigh({2, 0, {}, {0.5, 0.5}}, 4, 7, {-5000.0, -5000.0})[0], -5000.0);
}

TEST(a_document_beyond_two_gigabytes_is_refused_unread) {
    // The offsets claim more text than there is: reading any of it would be out of bounds.
    const FeatureSpec spec{2, 10, HashKind::fast};
    const auto array = TextArray::strings({"one two", "three"}, "U");
    constexpr std::int64_t kFirst = 7;
    constexpr auto kLargest = static_cast<std::int64_t>(kLargestDocument);
    array->damage(1, 2 * sizeof(std::int64_t), kFirst + kLargest + 1);
    const std::vector<double> ratios(spec.buckets, 1.0);
    const LogRatioTable table(ratios.data(), 1, ratios.size());
    const Scored scored = score_rows(array->column(), spec, table, kSum, 1);
    CHECK(scored.status == (std::vector{RowStatus::text, RowStatus::too_long}));
    CHECK_EQUAL(scored.tokens, std::vector<std::uint32_t>{2, 0});
    CHECK_EQUAL(scored.log_weight, std::vector<double>{3, 0});
    std::vector<std::int64_t> counts(spec.buckets);
    const CountResult counted = count(array->column(), spec, -1, 1, counts.data());
    CHECK_EQUAL(counted.ngrams, 3);
    CHECK_EQUAL(counted.invalid_rows, std::vector<std::int64_t>{1});
}

TEST(sums_have_room_for_the_largest_ratios) {
    // One token per byte and eight n-grams per token, all of the largest magnitude: a 64-bit sum
    // over the document would overflow, and the sum over a stretch nearly does.
    const FeatureSpec spec{8, 2, HashKind::fast};
    std::string dense;
    for (int i = 0; i < 30000; ++i) dense += "a.";
    std::string dotted;
    for (int i = 0; i < 30000; ++i) dotted += "\u0130";
    const auto array = TextArray::strings({dense, dotted});
    for (const double largest : {23.999999, -23.999999}) {
        const std::vector<double> ratios = {largest, largest};
        const LogRatioTable table(ratios.data(), 1, 2);
        const Scored scored = score_rows(array->column(), spec, table, kSum, 1);
        const auto ngrams = static_cast<int128>(ngram_count(60000, 8));
        const double expected = std::ldexp(static_cast<double>(ngrams * entries(table)[0]), -44);
        CHECK_EQUAL(scored.tokens, std::vector<std::uint32_t>{60000, 60000});
        CHECK_EQUAL(scored.log_weight, std::vector<double>{expected, expected});
    }
}

TEST(table_in_fixed_point) {
    const std::vector<double> ratios = {0.0, 1.0, -1.0, 0x1p-44, 0x1.8p-45, 18.420680743952367};
    const LogRatioTable table(ratios.data(), 1, ratios.size());
    CHECK_EQUAL(table.buckets(), 6);
    CHECK_EQUAL(entries(table)[1], std::int64_t{1} << 44);
    CHECK_EQUAL(entries(table)[2], -(std::int64_t{1} << 44));
    CHECK_EQUAL(entries(table)[3], 1);
    CHECK_EQUAL(entries(table)[4], 1);
    CHECK(std::abs(LogRatioTable::to_double(entries(table)[5]) - ratios[5]) <= 0x1p-45);
    // Rounded once, to nearest, ties to even.
    CHECK_EQUAL(LogRatioTable::to_double((int128{1} << 100) + (int128{1} << 47)), 0x1p56);
    CHECK_EQUAL(LogRatioTable::to_double((int128{1} << 100) + (int128{1} << 47) + 1),
                0x1.0000000000001p56);
    CHECK_EQUAL(LogRatioTable::to_double(-(int128{1} << 100)), -0x1p56);
}

TEST(codes_stand_for_the_entries_of_large_tables) {
    Random random(29);
    constexpr std::size_t kLarge = dsir::ngram::EntryCodes::kSmall / sizeof(std::int64_t) + 1;
    constexpr std::size_t kMost = dsir::ngram::EntryCodes::kMostValues;
    struct Case {
        std::size_t buckets, values;
        bool coded;
    };
    for (const auto& [buckets, values, coded] :
         {Case{kLarge, 3, true}, Case{kLarge, kMost, true}, Case{kLarge, kMost + 1, false},
          Case{kLarge - 1, 3, false}}) {
        // Every value occurs, some often, and the last not before the last bucket.
        const std::vector<double> different = random_ratios(random, values);
        std::vector<double> ratios(buckets);
        for (std::size_t b = 0; b < buckets; ++b) ratios[b] = different[b % (values - 1)];
        ratios.back() = different.back();
        const FeatureSpec spec{2, static_cast<std::uint32_t>(buckets), HashKind::fast};
        const LogRatioTable plain(ratios.data(), 1, buckets);
        LogRatioTable table(ratios.data(), 1, buckets);
        CHECK(table.codes().empty());
        table.find_codes();
        CHECK_EQUAL(table.codes().empty(), !coded);
        if (coded) {
            bool equal = true;
            for (std::size_t b = 0; b < buckets; ++b) {
                equal &= table.codes().values()[table.codes().codes()[b]] == entries(plain)[b];
            }
            CHECK(equal);
        }
        const Rows rows = random_rows(random, 200);
        const auto array = TextArray::strings(rows);
        for (const Weighing& weighing : {kSum, kMean}) {
            CHECK(score_rows(array->column(), spec, table, weighing, 2) ==
                  score_rows(array->column(), spec, plain, weighing, 1));
        }
    }
    std::vector<double> several(2 * kLarge, 1.0);
    LogRatioTable table(several.data(), 2, kLarge);
    table.find_codes();
    CHECK(table.codes().empty());
}

TEST(log_ratio_of_counts) {
    const std::vector<std::int64_t> target = {5, 0, 15, 0};
    const std::vector<std::int64_t> raw = {10, 30, 60, 0};
    const auto ratio = log_ratio(target.data(), raw.data(), 4, 0.0);
    const std::vector<double> expected = {std::log(0.25 + 1e-8) - std::log(0.1 + 1e-8),
                                          std::log(1e-8) - std::log(0.3 + 1e-8),
                                          std::log(0.75 + 1e-8) - std::log(0.6 + 1e-8), 0.0};
    CHECK_EQUAL(ratio.size(), 4);
    for (std::size_t b = 0; b < 4; ++b) CHECK(std::abs(ratio[b] - expected[b]) < 1e-14 * 20);
    const auto smooth = log_ratio(target.data(), raw.data(), 4, 1.0);
    CHECK(std::abs(smooth[1] - (std::log(1.0 / 24 + 1e-8) - std::log(0.3 + 1e-8))) < 1e-14 * 20);
    CHECK(std::abs(smooth[3] - (std::log(1.0 / 24 + 1e-8) - std::log(1e-8))) < 1e-14 * 20);
}

}  // namespace
