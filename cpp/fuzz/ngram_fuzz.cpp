// Counting and scoring. The counts are those of the n-grams named one by one, and a log-weight is
// the sum of the log ratios of its n-grams. Neither depends on threads or on how rows are cut.

#include <algorithm>
#include <cmath>

#include "fuzz_input.hpp"
#include "ngram/kernels.hpp"
#include "text_rows.hpp"

namespace {

using namespace dsir;
using text::RowStatus;

struct Scores {
    Scores(std::size_t columns, std::size_t rows)
        : log_weight(columns * rows), tokens(rows), bytes(rows), status(rows) {}
    ngram::ScoreOutput out() {
        return {log_weight.data(), tokens.data(), bytes.data(), status.data()};
    }
    std::vector<double> log_weight;
    std::vector<std::uint32_t> tokens;
    std::vector<std::uint32_t> bytes;
    std::vector<RowStatus> status;
};

std::vector<double> log_ratios(std::size_t targets, std::size_t buckets, std::uint64_t seed) {
    std::vector<double> values(targets * buckets);
    for (double& value : values) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        value = (static_cast<double>(seed >> 11) * 0x1p-53 - 0.5) * 2 * 18.4;
    }
    return values;
}

/// A row's status and the buckets of its n-grams, found in the plain way.
struct PlainRow {
    RowStatus status;
    std::vector<ngram::NamedNgram> ngrams;
};

std::vector<PlainRow> plain_rows(const test::Rows& rows, const ngram::FeatureSpec& spec) {
    std::vector<PlainRow> plain;
    for (const test::Row& row : rows) {
        PlainRow one{row ? RowStatus::text : RowStatus::null, {}};
        if (row && !ngram::named_ngrams(*row, spec, one.ngrams)) {
            one = {RowStatus::invalid_utf8, {}};
        }
        plain.push_back(std::move(one));
    }
    return plain;
}

void check_counts(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
                  const std::vector<PlainRow>& plain, std::int64_t limit, unsigned threads) {
    std::vector<std::int64_t> expected(spec.buckets);
    std::vector<std::int64_t> invalid;
    std::int64_t ngrams = 0;
    std::int64_t rows = 0;
    for (const PlainRow& row : plain) {
        if (row.status == RowStatus::invalid_utf8) invalid.push_back(rows);
        ++rows;
        for (const auto& one : row.ngrams) ++expected[one.bucket];
        ngrams += static_cast<std::int64_t>(row.ngrams.size());
        if (limit >= 0 && ngrams > limit) break;
    }
    std::vector<std::int64_t> counts(spec.buckets);
    const auto found = ngram::count(column, spec, limit, threads, counts.data());
    HOLDS(counts == expected);
    HOLDS(found.rows == rows && found.ngrams == ngrams);
    HOLDS(found.invalid_rows == invalid);
}

void check_sums(const ngram::FeatureSpec& spec, const std::vector<PlainRow>& plain,
                const std::vector<double>& ratios, std::size_t targets, const Scores& scores) {
    for (std::size_t row = 0; row < plain.size(); ++row) {
        HOLDS(scores.status[row] == plain[row].status);
        const std::size_t ngrams = plain[row].ngrams.size();
        HOLDS(ngram::ngram_count(scores.tokens[row], spec.n) == ngrams);
        for (std::size_t t = 0; t < targets; ++t) {
            ngram::int128 sum = 0;
            for (const auto& one : plain[row].ngrams) {
                sum += std::llrint(std::ldexp(ratios[t * spec.buckets + one.bucket],
                                              ngram::LogRatioTable::kFractionBits));
            }
            HOLDS(scores.log_weight[t * plain.size() + row] ==
                  ngram::LogRatioTable::to_double(sum));
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint32_t kBuckets[] = {2, 3, 10, 64, 1000, 1021, 4096, 10000};
    fuzz::Input input(data, size);
    const std::uint8_t kinds = input.byte();
    const ngram::FeatureSpec spec{
        1U + kinds % 8U,
        kBuckets[input.below(8)],
        (kinds & 8) != 0 ? ngram::HashKind::sha256 : ngram::HashKind::fast,
        {static_cast<text::TokenizerKind>((kinds >> 4) % text::kTokenizerCount)}};
    const std::size_t layout = input.below(5);
    const unsigned threads =
        1 + static_cast<unsigned>(input.below(16) == 0);  // starting threads is expensive
    const std::size_t targets = 1 + input.below(10);
    const std::uint8_t policy = input.byte();
    const std::int64_t limit = policy % 4 == 0 ? input.byte() : -1;
    const test::Rows rows = fuzz::rows_in(input.rest());
    const auto array = fuzz::in_layout(layout, rows);
    const arrow::TextColumn column = array->column();
    const std::vector<PlainRow> plain = plain_rows(rows, spec);
    check_counts(column, spec, plain, limit, threads);

    const std::vector<double> ratios = log_ratios(targets, spec.buckets, policy);
    const ngram::LogRatioTable table(ratios.data(), targets, spec.buckets);
    ngram::Weighing weighing{targets, 0.0, {}, {}};
    Scores sums(targets, rows.size());
    ngram::score(column, spec, table, weighing, threads, sums.out());
    check_sums(spec, plain, ratios, targets, sums);

    // Another length policy, on all rows at once and in two parts.
    if (policy % 3 == 1) weighing.alpha = (policy / 3) % 5 / 4.0;
    for (std::size_t t = 0; t < targets; ++t) {
        if (policy % 3 == 2)
            weighing.poisson.push_back(ngram::poisson_terms(1.5 + double(t), 20.0 + double(t)));
        if (policy % 2 == 1) weighing.shares.push_back(t == 0 ? 0.5 : 0.5 * (policy % 7));
    }
    Scores all(weighing.columns(), rows.size());
    ngram::score(column, spec, table, weighing, 1, all.out());
    for (const double weight : all.log_weight) HOLDS(std::isfinite(weight));
    const auto half = static_cast<std::int64_t>(rows.size() / 2);
    const auto rows_in_all = static_cast<std::int64_t>(rows.size());
    for (const std::int64_t first : {std::int64_t{0}, half}) {
        const std::int64_t length = first == 0 ? half : rows_in_all - half;
        const auto part = fuzz::in_layout(layout, rows);
        part->slice(first, length);
        Scores some(weighing.columns(), static_cast<std::size_t>(length));
        ngram::score(part->column(), spec, table, weighing, 1, some.out());
        for (std::int64_t row = 0; row < length; ++row) {
            HOLDS(some.status[row] == all.status[first + row]);
            HOLDS(some.tokens[row] == all.tokens[first + row]);
            HOLDS(some.bytes[row] == all.bytes[first + row]);
            for (std::size_t c = 0; c < weighing.columns(); ++c) {
                HOLDS(some.log_weight[c * length + row] ==
                      all.log_weight[c * rows.size() + first + row]);
            }
        }
    }
    return 0;
}
