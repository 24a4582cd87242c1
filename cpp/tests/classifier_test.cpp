#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "check.hpp"
#include "classifier/linear_table.hpp"
#include "classifier/logistic.hpp"
#include "classifier/platt.hpp"
#include "classifier/term_lists.hpp"
#include "ngram/bucket_stream.hpp"
#include "text_array.hpp"

namespace {

using namespace dsir::classifier;
using dsir::ngram::BucketStream;
using dsir::ngram::FeatureSpec;
using dsir::ngram::Weighing;
using dsir::test::Rows;
using dsir::test::TextArray;

constexpr std::uint64_t kAll = ~std::uint64_t{0};

FeatureSpec some_spec() {
    FeatureSpec spec;
    spec.buckets = 1 << 11;
    return spec;
}

Rows some_rows(int count) {
    Rows rows = {"the queen of hearts", std::nullopt, "", "broken \xff", "\xce\xa3 a b a b"};
    for (int i = 0; i < count; ++i) {
        std::string text = i % 3 == 0 ? "sail the ship" : "read the law";
        for (int k = 0; k < 3 + i * 7 % 400; ++k) {
            text += " word" + std::to_string(i * 31 % 17 * k % 97);
        }
        rows.push_back(text);
    }
    std::string repeated;
    for (int k = 0; k < 1000; ++k) repeated += "again ";
    rows.push_back(repeated);
    return rows;
}

std::vector<std::int64_t> all_of(const Rows& rows) {
    std::vector<std::int64_t> positions(rows.size());
    std::iota(positions.begin(), positions.end(), 0);
    return positions;
}

TermLists lists_of(const Rows& rows, std::uint64_t most = kAll, unsigned threads = 1) {
    return term_lists(TextArray::strings(rows)->column(), some_spec(), all_of(rows), most, threads);
}

TermListsView view_of(const TermLists& lists) {
    return {lists.offsets, lists.terms};
}

/// The buckets of one row, and how often it has each.
std::map<std::uint32_t, std::uint32_t> counted(const std::optional<std::string>& row) {
    std::map<std::uint32_t, std::uint32_t> counts;
    if (!row) return counts;
    BucketStream stream(some_spec());
    const auto outcome = stream.run(*row, [&](std::span<const std::uint32_t> buckets) {
        for (const std::uint32_t bucket : buckets) ++counts[bucket];
    });
    if (!outcome.valid) counts.clear();
    return counts;
}

std::vector<float> sides_of(std::size_t size) {
    std::vector<float> sides(size);
    for (std::size_t d = 0; d < size; ++d) sides[d] = d % 3 == 0 ? 2.0F : (d % 7 == 1 ? 0 : -0.5F);
    return sides;
}

double weight_of(std::uint32_t count) {
    return std::round((1 + std::log(std::min(count, kMostCount))) * 4096) / 4096;
}

}  // namespace

TEST(terms_are_the_counts_of_each_row_in_order) {
    const Rows rows = some_rows(80);
    const TermLists lists = lists_of(rows);
    CHECK_EQUAL(lists.offsets.size(), rows.size() + 1);
    for (std::size_t d = 0; d < rows.size(); ++d) {
        std::vector<Term> expected;
        for (const auto& [bucket, count] : counted(rows[d])) {
            expected.push_back((bucket << kCountBits) | std::min(count, kMostCount));
        }
        const auto found = view_of(lists)[d];
        CHECK(std::vector<Term>(found.begin(), found.end()) == expected);
    }
}

TEST(terms_do_not_depend_on_threads) {
    const Rows rows = some_rows(150);
    const TermLists one = lists_of(rows);
    for (const unsigned threads : {2U, 5U}) {
        const TermLists other = lists_of(rows, kAll, threads);
        CHECK(other.offsets == one.offsets && other.terms == one.terms);
    }
}

TEST(long_rows_are_listed_in_part) {
    std::string text;
    for (int i = 0; i < 50000; ++i) text += "w" + std::to_string(i) + " ";
    const Rows rows = {text, "a b"};
    const auto of_parts = lists_of(rows, 10000);
    const auto ngrams = [](std::span<const Term> terms) {
        std::uint64_t sum = 0;
        for (const Term term : terms) sum += count_of(term);
        return sum;
    };
    CHECK(ngrams(view_of(of_parts)[0]) >= 10000);
    CHECK(ngrams(view_of(of_parts)[0]) < 20000);
    CHECK_EQUAL(ngrams(view_of(of_parts)[1]), 3U);
}

TEST(training_is_plain_gradient_descent) {
    const Rows rows = some_rows(90);
    const TermLists lists = lists_of(rows);
    const std::vector<float> sides = sides_of(rows.size());
    const std::size_t buckets = some_spec().buckets;
    const auto found = train(view_of(lists), sides, buckets, {3, 8, 0.7F}, 1);
    std::vector<double> weights(buckets);
    double bias = 0;
    std::vector<std::size_t> order;
    for (std::size_t d = 0; d < rows.size(); ++d) {
        if (sides[d] != 0 && !counted(rows[d]).empty()) order.push_back(d);
    }
    const double all = 3.0 * static_cast<double>(order.size());
    for (int pass = 0; pass < 3; ++pass) {
        for (std::size_t at = 0; at < order.size(); at += 8) {
            const double done = pass * static_cast<double>(order.size()) + static_cast<double>(at);
            const double rate = 0.7 * (1 - done / all);
            std::vector<double> changed = weights;
            double changed_bias = bias;
            for (std::size_t i = at; i < std::min(at + 8, order.size()); ++i) {
                const auto counts = counted(rows[order[i]]);
                double sum = 0, squares = 0;
                for (const auto& [bucket, count] : counts) {
                    sum += weights[bucket] * weight_of(count);
                    squares += weight_of(count) * weight_of(count);
                }
                const double p = 1 / (1 + std::exp(-(sum / std::sqrt(squares) + bias)));
                const double side = sides[order[i]];
                const double step = rate * std::abs(side) * (p - (side > 0 ? 1 : 0));
                for (const auto& [bucket, count] : counts) {
                    changed[bucket] -= step * weight_of(count) / std::sqrt(squares);
                }
                changed_bias -= 0.01 * step;
            }
            weights = changed;
            bias = changed_bias;
        }
    }
    double largest = 0;
    for (std::size_t b = 0; b < buckets; ++b) {
        CHECK(std::abs(found[b] - weights[b]) < 1e-4);
        largest = std::max(largest, std::abs(weights[b]));
    }
    CHECK(largest > 0.1);
}

TEST(training_does_not_depend_on_threads) {
    const Rows rows = some_rows(200);
    const TermLists lists = lists_of(rows);
    const std::vector<float> sides = sides_of(rows.size());
    const Schedule schedule{4, 16, 1.0F};
    const auto one = train(view_of(lists), sides, some_spec().buckets, schedule, 1);
    for (const unsigned threads : {2U, 3U, 7U, 40U}) {
        CHECK(train(view_of(lists), sides, some_spec().buckets, schedule, threads) == one);
    }
}

TEST(graded_training_is_plain_gradient_descent) {
    const Rows rows = some_rows(90);
    const TermLists lists = lists_of(rows);
    std::vector<float> grades(rows.size());
    for (std::size_t d = 0; d < rows.size(); ++d) {
        grades[d] = d % 11 == 4 ? -1.0F : static_cast<float>(d % 6) / 5;
    }
    const std::size_t buckets = some_spec().buckets;
    const Schedule schedule{2, 1, 0.5F};
    const auto found = train_graded(view_of(lists), grades, buckets, schedule, 1);
    CHECK(train_graded(view_of(lists), grades, buckets, schedule, 5) == found);
    std::vector<std::size_t> order;
    for (std::size_t d = 0; d < rows.size(); ++d) {
        if (grades[d] >= 0 && !counted(rows[d]).empty()) order.push_back(d);
    }
    std::vector<double> weights(buckets);
    double bias = 0;
    double step_number = 0;
    for (int pass = 0; pass < 2; ++pass) {
        for (const std::size_t d : order) {
            const double rate = 0.5 * (1 - step_number++ / (2 * static_cast<double>(order.size())));
            const auto counts = counted(rows[d]);
            double sum = 0, squares = 0;
            for (const auto& [bucket, count] : counts) {
                sum += weights[bucket] * weight_of(count);
                squares += weight_of(count) * weight_of(count);
            }
            const double p = 1 / (1 + std::exp(-(sum / std::sqrt(squares) + bias)));
            const double step = rate * (p - static_cast<double>(grades[d]));
            for (const auto& [bucket, count] : counts) {
                weights[bucket] -= step * weight_of(count) / std::sqrt(squares);
            }
            bias -= 0.01 * step;
        }
    }
    double largest = 0;
    for (std::size_t b = 0; b < buckets; ++b) {
        CHECK(std::abs(static_cast<double>(found[b]) - weights[b]) < 1e-4);
        largest = std::max(largest, std::abs(weights[b]));
    }
    CHECK(largest > 0.05);
}

TEST(nothing_to_learn_from_gives_no_weights) {
    const Rows rows = {"", std::nullopt};
    const auto found = train(view_of(lists_of(rows)), std::vector<float>{1, -1}, 64, {}, 2);
    CHECK(found == std::vector<float>(64));
}

TEST(scores_are_those_of_the_formula_for_texts_and_lists) {
    const Rows rows = some_rows(60);
    const FeatureSpec spec = some_spec();
    std::vector<float> weights(2 * spec.buckets);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        weights[i] = static_cast<float>(std::sin(static_cast<double>(i)) * 9);
    }
    const LinearTable table(weights.data(), 2, spec.buckets);
    const LinearTable first(weights.data(), 1, spec.buckets);
    const std::vector<Line> lines = {{1.5, -0.25}, {0.5, 2}};
    const auto size = static_cast<std::int64_t>(rows.size());
    const auto texts = TextArray::strings(rows);
    const auto scored = [&](unsigned threads) {
        std::vector<double> log_weight(2 * rows.size());
        std::vector<std::uint32_t> tokens(rows.size()), bytes(rows.size());
        std::vector<dsir::text::RowStatus> status(rows.size());
        Weighing weighing;
        weighing.targets = 2;
        score(texts->column(), spec, table, lines, weighing, threads,
              {log_weight.data(), tokens.data(), bytes.data(), status.data()});
        return log_weight;
    };
    const auto found = scored(1);
    CHECK(scored(3) == found);
    // Beside a table of other n-grams of the same tokens.
    FeatureSpec other = spec;
    other.n = 3;
    other.buckets = 77;
    std::vector<double> ratios(other.buckets);
    for (std::size_t b = 0; b < ratios.size(); ++b) ratios[b] = static_cast<double>(b) / 7 - 5;
    const dsir::ngram::LogRatioTable ratio_table(ratios.data(), 1, ratios.size());
    Weighing two, one;
    two.targets = 2;
    const std::vector<dsir::ngram::ScorePart> parts = {part_of(spec, table, lines, two),
                                                       part_of(other, ratio_table, one)};
    for (const unsigned threads : {1U, 3U}) {
        std::vector<double> log_weight(3 * rows.size()), alone(rows.size());
        std::vector<std::uint32_t> tokens(rows.size()), bytes(rows.size());
        std::vector<dsir::text::RowStatus> status(rows.size());
        const std::vector<dsir::ngram::ScoreOutput> out = {
            {log_weight.data(), tokens.data(), bytes.data(), status.data()},
            {log_weight.data() + 2 * rows.size(), tokens.data(), bytes.data(), status.data()}};
        dsir::ngram::score_together(texts->column(), parts, threads, out);
        CHECK(std::equal(found.begin(), found.end(), log_weight.begin()));
        const auto statuses = status;
        dsir::ngram::score(texts->column(), other, ratio_table, one, threads,
                           {alone.data(), tokens.data(), bytes.data(), status.data()});
        CHECK(std::equal(alone.begin(), alone.end(), log_weight.end() - size));
        CHECK(status == statuses);
    }
    std::vector<double> of_lists(rows.size());
    score_lists(view_of(lists_of(rows)), first, 2, of_lists.data());
    for (std::int64_t d = 0; d < size; ++d) {
        const auto counts = counted(rows[static_cast<std::size_t>(d)]);
        for (std::size_t c = 0; c < 2; ++c) {
            double sum = 0, squares = 0;
            for (const auto& [bucket, count] : counts) {
                sum += static_cast<double>(weights[c * spec.buckets + bucket]) * weight_of(count);
                squares += weight_of(count) * weight_of(count);
            }
            const double raw = counts.empty() ? 0 : sum / std::sqrt(squares);
            const double expected = counts.empty() ? 0 : lines[c].slope * raw + lines[c].intercept;
            const auto at = c * rows.size() + static_cast<std::size_t>(d);
            CHECK(std::abs(found[at] - expected) < 1e-6);
            if (c == 0) CHECK(std::abs(of_lists[static_cast<std::size_t>(d)] - raw) < 1e-6);
        }
    }
}

TEST(platt_finds_the_line_that_the_labels_follow) {
    std::vector<double> scores;
    std::vector<std::uint8_t> wanted;
    for (int i = -20; i <= 20; ++i) {
        const double score = i / 10.0;
        const double p = 1 / (1 + std::exp(-2 * score));
        // As many of a thousand documents as the probability says.
        for (int k = 0; k < 1000; ++k) {
            scores.push_back(score);
            wanted.push_back(k < std::lround(1000 * p) ? 1 : 0);
        }
    }
    const Line line = platt(scores, wanted);
    CHECK(std::abs(line.slope - 2) < 0.01);
    CHECK(std::abs(line.intercept) < 0.01);
    // Twice as many documents of one side change nothing, because both sides count equally.
    const std::size_t size = scores.size();
    for (std::size_t i = 0; i < size; ++i) {
        if (wanted[i] == 0) continue;
        scores.push_back(scores[i]);
        wanted.push_back(1);
    }
    const Line more = platt(scores, wanted);
    CHECK(std::abs(more.slope - line.slope) < 0.01);
    CHECK(std::abs(more.intercept - line.intercept) < 0.01);
}

TEST(platt_is_finite_where_a_score_tells_all) {
    const std::vector<double> scores = {-900, -850, 850, 900, 1000};
    const Line line = platt(scores, std::vector<std::uint8_t>{0, 0, 1, 1, 1});
    CHECK(std::isfinite(line.slope) && std::isfinite(line.intercept) && line.slope > 0);
    const Line same = platt(std::vector<double>{1, 1, 1, 1}, std::vector<std::uint8_t>{0, 1, 0, 1});
    CHECK(std::isfinite(same.slope) && std::isfinite(same.intercept));
}

TEST(platt_of_grades_finds_the_line_of_the_expected_grade) {
    std::vector<double> scores, grades;
    for (int i = -40; i <= 40; ++i) {
        scores.push_back(i / 10.0);
        grades.push_back(1 / (1 + std::exp(-(1.5 * scores.back() - 0.75))));
    }
    // The labels are drawn a little inside 0 and 1, less so the more documents there are.
    std::vector<double> many_scores, many_grades;
    for (int k = 0; k < 200; ++k) {
        many_scores.insert(many_scores.end(), scores.begin(), scores.end());
        many_grades.insert(many_grades.end(), grades.begin(), grades.end());
    }
    const Line line = platt_graded(many_scores, many_grades);
    CHECK(std::abs(line.slope - 1.5) < 0.01);
    CHECK(std::abs(line.intercept + 0.75) < 0.01);
    const Line one = platt_graded(std::vector<double>{3}, std::vector<double>{1});
    CHECK(std::isfinite(one.slope) && std::isfinite(one.intercept));
}
