#include "ngram/bootstrap.hpp"

#include <cmath>
#include <numeric>

#include "check.hpp"
#include "ngram/kernels.hpp"
#include "text_array.hpp"

namespace {

using namespace dsir::ngram;
using dsir::numeric::philox4x32;
using dsir::sampling::bootstrap_counts;
using dsir::sampling::BootstrapDraw;
using dsir::sampling::kPoissonThresholds;
using dsir::sampling::poisson_of;
using dsir::test::Rows;
using dsir::test::TextArray;

using Counts = std::vector<std::int64_t>;

Rows some_rows() {
    Rows rows = {"the queen of hearts", std::nullopt, "", "broken \xff", "\xce\xa3 a b a b"};
    for (int i = 0; i < 120; ++i) rows.push_back("word " + std::to_string(i % 17) + " of many");
    rows.push_back(std::string(1 << 12, 'x') + " y");
    return rows;
}

/// The counts of each row alone, by count().
std::vector<Counts> row_by_row(const Rows& rows, const FeatureSpec& spec) {
    std::vector<Counts> each;
    for (const auto& row : rows) {
        each.emplace_back(spec.buckets);
        count(TextArray::strings({row})->column(), spec, -1, 1, each.back().data());
    }
    return each;
}

/// The sum of the counts, each times its row's weight in the replicate.
Counts weighted(const std::vector<Counts>& each, const BootstrapDraw& draw, std::uint64_t first_row,
                std::uint32_t replicate) {
    Counts sum(each.front().size());
    for (std::size_t i = 0; i < each.size(); ++i) {
        const auto four = bootstrap_counts(draw, first_row + i, replicate / 4);
        for (std::size_t b = 0; b < sum.size(); ++b) sum[b] += each[i][b] * four[replicate % 4];
    }
    return sum;
}

Counts replicate_of(const BootstrapCounts& counts, std::uint32_t replicate) {
    Counts out(counts.buckets(), -1);
    counts.copy_replicate(replicate, out.data());
    return out;
}

TEST(poisson_thresholds) {
    double term = std::exp(-1.0);
    double below = 0;
    for (std::uint32_t k = 0; k < kPoissonThresholds.size(); ++k) {
        below += term;
        term /= k + 1;
        const std::uint32_t threshold = kPoissonThresholds[k];
        CHECK(std::abs(below * 0x1p32 - threshold) < 0.5001);
        CHECK_EQUAL(poisson_of(threshold - 1), k);
        CHECK(poisson_of(threshold) > k);
    }
    CHECK_EQUAL(poisson_of(0), 0U);
    CHECK_EQUAL(poisson_of(0xFFFFFFFF), 12U);
}

TEST(counters_are_apart_from_those_of_the_draw) {
    const auto words =
        philox4x32({5, 1, 3, 0x80000002}, {7, 9});  // row lo and hi, quad, source; seed lo and hi
    const auto four =
        bootstrap_counts({(std::uint64_t{9} << 32) | 7, 2}, (std::uint64_t{1} << 32) | 5, 3);
    for (std::size_t i = 0; i < 4; ++i) CHECK_EQUAL(four[i], poisson_of(words[i]));
}

TEST(replicates_are_weighted_counts) {
    const Rows rows = some_rows();
    const BootstrapDraw draw{42, 3};
    const std::uint64_t first_row = 0xFFFFFFFE;  // on both sides of 2^32
    for (const FeatureSpec& spec :
         {FeatureSpec{2, 50, HashKind::fast}, FeatureSpec{3, 1000, HashKind::sha256}}) {
        const auto each = row_by_row(rows, spec);
        for (const std::uint32_t replicates : {1U, 16U, 37U}) {
            for (const unsigned threads : {1U, 2U, 5U}) {
                BootstrapCounts counts(spec, draw, replicates);
                const auto array = TextArray::strings(rows);
                CHECK_EQUAL(counts.add(array->column(), first_row, threads), Counts{3});
                Counts plain(spec.buckets);
                count(array->column(), spec, -1, 1, plain.data());
                CHECK_EQUAL(counts.counts(), plain);
                for (std::uint32_t r = 0; r < replicates; r += 6) {
                    CHECK_EQUAL(replicate_of(counts, r), weighted(each, draw, first_row, r));
                }
            }
        }
    }
}

TEST(batches_add_up) {
    const Rows rows = some_rows();
    const FeatureSpec spec{2, 64, HashKind::fast};
    BootstrapCounts whole(spec, {1, 0}, 20);
    whole.add(TextArray::strings(rows)->column(), 0, 1);
    BootstrapCounts parts(spec, {1, 0}, 20);
    for (std::size_t end = rows.size(); end > 0;) {  // the last rows first
        const std::size_t begin = end > 13 ? end - 13 : 0;
        const Rows some(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                        rows.begin() + static_cast<std::ptrdiff_t>(end));
        parts.add(TextArray::strings(some)->column(), begin, 2);
        end = begin;
    }
    CHECK_EQUAL(parts.counts(), whole.counts());
    for (std::uint32_t r = 0; r < 20; ++r) {
        CHECK_EQUAL(replicate_of(parts, r), replicate_of(whole, r));
    }
}

TEST(documents_longer_than_a_slab) {
    std::string text;
    while (text.size() < (std::size_t{5} << 20)) text += "word a b ";
    const Rows rows = {"short", text, "a b", text + "\xff", "c"};
    const FeatureSpec spec{2, 64, HashKind::fast};
    const auto array = TextArray::strings(rows);
    const auto expected = weighted(row_by_row(rows, spec), {1, 0}, 10, 19);
    for (const unsigned threads : {1U, 3U}) {
        BootstrapCounts counts(spec, {1, 0}, 20);
        CHECK_EQUAL(counts.add(array->column(), 10, threads), Counts{3});
        CHECK_EQUAL(replicate_of(counts, 19), expected);
        CHECK(std::accumulate(counts.counts().begin(), counts.counts().end(), std::int64_t{0}) >
              3'000'000);
    }
}

}  // namespace
