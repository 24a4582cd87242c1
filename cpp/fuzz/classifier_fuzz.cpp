// Classifiers: the score of a row is that of its n-grams named one by one, in any number of
// columns. What is learned does not depend on threads, and is finite.

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "classifier/linear_table.hpp"
#include "classifier/logistic.hpp"
#include "classifier/platt.hpp"
#include "fuzz_input.hpp"
#include "ngram/kernels.hpp"
#include "text_rows.hpp"

namespace {

using namespace dsir;
using classifier::LinearTable;
using text::RowStatus;

struct Scores {
    Scores(std::size_t columns, std::size_t rows)
        : log_weight(columns * rows), tokens(rows), bytes(rows), status(rows) {}
    ngram::ScoreOutput out() {
        return {log_weight.data(), tokens.data(), bytes.data(), status.data()};
    }
    bool operator==(const Scores&) const = default;

    std::vector<double> log_weight;
    std::vector<std::uint32_t> tokens;
    std::vector<std::uint32_t> bytes;
    std::vector<RowStatus> status;
};

std::vector<float> weights_of(std::size_t size, std::uint64_t seed) {
    std::vector<float> weights(size);
    for (float& weight : weights) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        weight = static_cast<float>(static_cast<double>(seed >> 11) * 0x1p-52 - 1);
        // Small ones, and the largest there may be.
        weight *= (seed & 0x700000000) == 0 ? LinearTable::kLargest : 1.0F;
    }
    return weights;
}

/// A row's status, and how often it has each bucket.
struct PlainRow {
    RowStatus status = RowStatus::null;
    std::map<std::uint32_t, std::uint32_t> counts;
};

PlainRow plain_row(const test::Row& row, const ngram::FeatureSpec& spec) {
    PlainRow plain;
    if (!row) return plain;
    std::vector<ngram::NamedNgram> ngrams;
    if (!ngram::named_ngrams(*row, spec, ngrams)) {
        plain.status = RowStatus::invalid_utf8;
        return plain;
    }
    plain.status = RowStatus::text;
    for (const auto& one : ngrams) ++plain.counts[one.bucket];
    for (auto& [bucket, count] : plain.counts) count = std::min(count, classifier::kMostCount);
    return plain;
}

double plain_score(const PlainRow& row, const float* weights) {
    static const classifier::TermWeights kTerms;
    ngram::int128 sum = 0;
    std::int64_t squares = 0;
    for (const auto& [bucket, count] : row.counts) {
        const std::int64_t term = kTerms[count];
        sum += term * std::llrint(std::ldexp(weights[bucket], LinearTable::kFractionBits));
        squares += term * term;
    }
    if (squares == 0) return 0;
    return std::ldexp(static_cast<double>(sum), -LinearTable::kFractionBits) /
           std::sqrt(static_cast<double>(squares));
}

/// Learns to tell the rows apart; scores of lists are those of texts.
void check_learning(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
                    const std::vector<PlainRow>& plain, std::uint8_t choice, unsigned threads) {
    std::vector<std::int64_t> positions(plain.size());
    std::iota(positions.begin(), positions.end(), 0);
    const auto lists = classifier::term_lists(column, spec, positions, ~std::uint64_t{0}, threads);
    const classifier::TermListsView view{lists.offsets, lists.terms};
    std::vector<float> importance;
    for (std::size_t row = 0; row < plain.size(); ++row) {
        std::vector<classifier::Term> expected;
        for (const auto& [bucket, count] : plain[row].counts) {
            expected.push_back(bucket << classifier::kCountBits | count);
        }
        HOLDS(std::equal(view[row].begin(), view[row].end(), expected.begin(), expected.end()));
        const int side = ((choice >> (row % 8)) & 1) != 0 ? 1 : -1;
        importance.push_back(static_cast<float>(side) * static_cast<float>(row % 3));
    }
    const classifier::Schedule schedule{1U + choice % 2U, std::size_t{1} + choice % 5U,
                                        choice % 7 == 0 ? 100.0F : 1.0F};
    const auto learned = classifier::train(view, importance, spec.buckets, schedule, 1);
    if (threads > 1) {
        HOLDS(classifier::train(view, importance, spec.buckets, schedule, threads) == learned);
    }
    std::vector<float> bounded = learned;
    for (float& weight : bounded) {
        HOLDS(std::isfinite(weight));
        weight = std::clamp(weight, -LinearTable::kLargest, LinearTable::kLargest);
    }
    const LinearTable table(bounded.data(), 1, spec.buckets);
    std::vector<double> scores(plain.size());
    classifier::score_lists(view, table, threads, scores.data());
    std::vector<std::uint8_t> wanted;
    for (std::size_t row = 0; row < plain.size(); ++row) {
        HOLDS(scores[row] == plain_score(plain[row], bounded.data()));
        wanted.push_back(importance[row] > 0 ? 1 : 0);
    }
    const auto yes = std::count(wanted.begin(), wanted.end(), 1);
    if (yes == 0 || yes == static_cast<std::ptrdiff_t>(wanted.size())) return;
    const classifier::Line line = classifier::platt(scores, wanted);
    HOLDS(std::isfinite(line.slope) && std::isfinite(line.intercept));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint32_t kBuckets[] = {2, 3, 10, 64, 1000, 1021};
    fuzz::Input input(data, size);
    const std::uint8_t kinds = input.byte();
    const ngram::FeatureSpec spec{
        1U + kinds % 4U,
        kBuckets[input.below(6)],
        (kinds & 8) != 0 ? ngram::HashKind::sha256 : ngram::HashKind::fast,
        {static_cast<text::TokenizerKind>((kinds >> 4) % text::kTokenizerCount)}};
    const std::size_t layout = input.below(5);
    const unsigned threads = 1 + static_cast<unsigned>(input.below(16) == 0);
    const std::size_t columns = 1 + input.below(6);
    const std::uint8_t choice = input.byte();
    const test::Rows rows = fuzz::rows_in(input.rest());
    const auto array = fuzz::in_layout(layout, rows);
    const arrow::TextColumn column = array->column();
    std::vector<PlainRow> plain;
    for (const test::Row& row : rows) plain.push_back(plain_row(row, spec));

    const std::vector<float> weights = weights_of(columns * spec.buckets, choice);
    const LinearTable table(weights.data(), columns, spec.buckets);
    std::vector<classifier::Line> lines;
    for (std::size_t c = 0; c < columns; ++c) {
        lines.push_back({1 + static_cast<double>(c), -0.5 * static_cast<double>(choice)});
    }
    const ngram::Weighing weighing{columns, 0.0, {}, {}};
    Scores all(columns, rows.size());
    classifier::score(column, spec, table, lines, weighing, threads, all.out());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        HOLDS(all.status[row] == plain[row].status);
        for (std::size_t c = 0; c < columns; ++c) {
            const double score = plain_score(plain[row], weights.data() + c * spec.buckets);
            const double expected =
                plain[row].counts.empty() ? 0 : lines[c].slope * score + lines[c].intercept;
            HOLDS(all.log_weight[c * rows.size() + row] == expected);
        }
    }
    if (threads > 1) {
        Scores alone(columns, rows.size());
        classifier::score(column, spec, table, lines, weighing, 1, alone.out());
        HOLDS(alone == all);
    }
    check_learning(column, spec, plain, choice, threads);
    return 0;
}
