#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "check.hpp"
#include "lexrank/centrality.hpp"
#include "lexrank/checked_views.hpp"
#include "lexrank/row_offsets.hpp"
#include "lexrank/shared_pairs.hpp"
#include "lexrank/similarity_join.hpp"
#include "lexrank/term_counter.hpp"
#include "lexrank/token_numbers.hpp"
#include "text/sentences.hpp"
#include "text_array.hpp"

namespace {

using namespace dsir::lexrank;
using dsir::numeric::DenseRows;
using dsir::numeric::SparseRows;
using dsir::test::Random;

/// Rows of a random sparse matrix, with zero rows, duplicates, and common and rare columns.
struct Matrix {
    std::int64_t size = 0;
    std::int64_t width = 0;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> columns;
    std::vector<double> values;
    std::vector<double> scale;
    std::vector<float> dense;

    SparseRows<double> sparse() const {
        return {size, width, offsets.data(), columns.data(), values.data(), scale.data()};
    }
    DenseRows full() const { return {size, width, dense.data()}; }
};

Matrix random_matrix(std::uint64_t seed, std::int64_t size, std::int64_t width, bool negative) {
    Random random(seed);
    Matrix m;
    m.size = size;
    m.width = width;
    m.scale.assign(static_cast<std::size_t>(width), 1.0);
    m.dense.assign(static_cast<std::size_t>(size * width), 0.0F);
    for (std::int64_t i = 0; i < size; ++i) {
        const bool copy = i > 0 && random.below(10) == 0;
        const auto source = copy ? static_cast<std::int64_t>(random.below(i)) : i;
        for (std::int64_t c = 0; c < width; ++c) {
            float value = 0;
            if (copy) {
                value = m.dense[source * width + c];
            } else if (i % 13 != 4 && random.uniform() < 1.5 / (1.0 + static_cast<double>(c))) {
                value = static_cast<float>(random.uniform() + 0.01);
                if (negative && random.below(4) == 0) value = -value;
            }
            if (value == 0) continue;
            m.dense[i * width + c] = value;
            m.columns.push_back(static_cast<std::int32_t>(c));
            m.values.push_back(static_cast<double>(value));
        }
        m.offsets.push_back(static_cast<std::int64_t>(m.columns.size()));
    }
    return m;
}

double brute_cosine(const Matrix& m, std::int64_t i, std::int64_t j) {
    double product = 0;
    double a = 0;
    double b = 0;
    for (std::int64_t c = 0; c < m.width; ++c) {
        const auto x = static_cast<double>(m.dense[i * m.width + c]);
        const auto y = static_cast<double>(m.dense[j * m.width + c]);
        product += x * y;
        a += x * x;
        b += y * y;
    }
    return a > 0 && b > 0 ? product / std::sqrt(a * b) : 0.0;
}

void check_graph(const Matrix& m, const Graph& graph, double threshold) {
    for (std::int64_t i = 0; i < m.size; ++i) {
        std::int64_t at = graph.offsets[i];
        for (std::int64_t j = 0; j < m.size; ++j) {
            const double cosine = brute_cosine(m, i, j);
            if (cosine < threshold) continue;
            if (at == graph.offsets[i + 1]) {
                CHECK(false);
                return;
            }
            CHECK_EQUAL(graph.neighbours[at], j);
            CHECK(std::abs(graph.weights[at] - cosine) < 1e-12);
            ++at;
        }
        CHECK_EQUAL(at, graph.offsets[i + 1]);
    }
}

TEST(join_is_brute_force) {
    for (const bool negative : {false, true}) {
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
            const Matrix m = random_matrix(seed, 90, 30, negative);
            for (const double threshold : {0.01, 0.237, 0.731, 0.9991}) {
                for (const std::int64_t block : {1, 32, 1000}) {
                    const JoinSettings settings{threshold, false, true, 2, block};
                    check_graph(m, threshold_join(m.sparse(), settings, true), threshold);
                    check_graph(m, threshold_join(m.full(), settings, true), threshold);
                }
            }
        }
    }
}

TEST(top_k_is_the_union_of_the_best) {
    const Matrix m = random_matrix(7, 80, 25, false);
    const std::int64_t k = 5;
    std::vector<std::vector<char>> named(80, std::vector<char>(80));
    for (std::int64_t i = 0; i < m.size; ++i) {
        std::vector<std::pair<double, std::int64_t>> others;
        for (std::int64_t j = 0; j < m.size; ++j) {
            const double cosine = brute_cosine(m, i, j);
            // Duplicates are equal except for rounding here, and to the bit in the join.
            if (j != i && cosine > 0.01) others.emplace_back(-std::round(cosine * 1e11), j);
            if (j == i && cosine > 0) named[i][i] = 1;
        }
        std::sort(others.begin(), others.end());
        for (std::size_t r = 0; r < std::min<std::size_t>(k, others.size()); ++r) {
            named[i][others[r].second] = named[others[r].second][i] = 1;
        }
    }
    for (const std::int64_t block : {1, 16, 1000}) {
        const Graph graph = top_k_join(m.sparse(), {0.01, false, true, 3, block}, k, false);
        CHECK(graph.weights.empty());
        for (std::int64_t i = 0; i < m.size; ++i) {
            std::vector<std::int32_t> expected;
            for (std::int32_t j = 0; j < m.size; ++j) {
                if (named[i][j]) expected.push_back(j);
            }
            const std::vector<std::int32_t> found(graph.neighbours.begin() + graph.offsets[i],
                                                  graph.neighbours.begin() + graph.offsets[i + 1]);
            CHECK_EQUAL_FOR(i, found, expected);
        }
    }
}

TEST(offsets_pass_2_to_the_31) {
    const std::vector<std::int64_t> counts{3'000'000'000, 0, 2'000'000'000, 5};
    const std::vector<std::int64_t> expected{0, 3'000'000'000, 3'000'000'000, 5'000'000'000,
                                             5'000'000'005};
    CHECK(row_offsets(counts) == expected);
    CHECK(row_offsets({}) == std::vector<std::int64_t>{0});
}

TEST(walks_agree_and_do_not_depend_on_threads) {
    const Matrix m = random_matrix(3, 700, 40, false);
    WalkSettings settings;
    settings.tolerance = 1e-15;
    const Walk whole = walk_cosines(m.sparse(), settings);
    CHECK(whole.converged);
    CHECK(std::abs(std::accumulate(whole.scores.begin(), whole.scores.end(), 0.0) - 1) < 1e-12);
    const Graph graph = threshold_join(m.sparse(), {1e-9, false, true, 2, 64}, true);
    const GraphView view{m.size, graph.offsets.data(), graph.neighbours.data(),
                         graph.weights.data()};
    const Walk over_graph = walk_graph(view, settings);
    for (std::int64_t i = 0; i < m.size; ++i) {
        CHECK(std::abs(whole.scores[i] - over_graph.scores[i]) < 1e-12);
    }
    for (const unsigned threads : {2U, 5U}) {
        settings.threads = threads;
        CHECK(walk_cosines(m.sparse(), settings).scores == whole.scores);
        CHECK(walk_graph(view, settings).scores == over_graph.scores);
        CHECK(cosine_degrees(m.sparse(), threads) == cosine_degrees(m.sparse(), 1));
        CHECK(cosines_with(m.full(), 9, threads) == cosines_with(m.full(), 9, 1));
    }
}

TEST(walks_over_all_pairs_end_where_a_step_changes_nothing) {
    Random random(8);
    for (const double size_of_values : {1.0, 1e-155, 1e99}) {
        Matrix m = random_matrix(7, 300, 30, false);
        for (double& value : m.values) value *= size_of_values;
        std::vector<std::uint8_t> takes_part(300, 1);
        std::vector<double> teleport(300);
        double jumps = 0;
        for (std::size_t i = 0; i < 300; ++i) {
            takes_part[i] = i % 7 != 2;
            teleport[i] = takes_part[i] * random.uniform();
            jumps += teleport[i];
        }
        for (double& jump : teleport) jump /= jumps;
        const std::vector<double> degrees = cosine_degrees(m.sparse(), 1);
        std::vector<std::vector<double>> cosines;
        for (std::int64_t i = 0; i < 300; ++i) cosines.push_back(cosines_with(m.sparse(), i, 1));
        WalkSettings settings;
        settings.takes_part = takes_part.data();
        settings.teleport = teleport.data();
        settings.tolerance = 1e-14;
        for (const double damping : {0.0, 0.4, 0.85, 1.0}) {
            settings.damping = damping;
            const Walk walk = walk_cosines(m.sparse(), settings);
            CHECK(walk.converged);
            double change = 0;
            for (std::size_t i = 0; i < 300; ++i) {
                double got = degrees[i] > 0 ? 0 : walk.scores[i];
                for (std::size_t j = 0; j < 300 && degrees[i] > 0; ++j) {
                    if (degrees[j] > 0) got += cosines[j][i] / degrees[j] * walk.scores[j];
                }
                const double next = takes_part[i] * ((1 - damping) * teleport[i] + damping * got);
                change += std::abs(next - walk.scores[i]);
            }
            CHECK(change < 1e-12);
        }
    }
}

TEST(a_walk_without_jumps_keeps_what_each_component_began_with) {
    // Three rows that share a column, two that share another, and one of zeros.
    const std::vector<std::int64_t> offsets{0, 1, 3, 4, 5, 6, 6};
    const std::vector<std::int32_t> columns{0, 0, 2, 0, 1, 1};
    const std::vector<double> values{1, 1, 2, 3, 1, 4};
    const std::vector<double> scale{1, 2, 0.5};
    const SparseRows<double> rows{6,           3, offsets.data(), columns.data(), values.data(),
                                  scale.data()};
    WalkSettings settings;
    settings.damping = 1;
    settings.tolerance = 1e-15;
    const Walk walk = walk_cosines(rows, settings);
    CHECK(walk.converged);
    CHECK(std::abs(walk.scores[0] + walk.scores[1] + walk.scores[2] - 0.5) < 1e-15);
    CHECK(std::abs(walk.scores[3] - 1.0 / 6) < 1e-15);
    CHECK(std::abs(walk.scores[4] - 1.0 / 6) < 1e-15);
    CHECK_EQUAL(walk.scores[5], 1.0 / 6);
    const std::vector<double> degrees = cosine_degrees(rows, 1);
    CHECK(std::abs(walk.scores[0] / walk.scores[1] - degrees[0] / degrees[1]) < 1e-14);
}

TEST(terms_do_not_depend_on_threads_or_batches) {
    Random random(5);
    dsir::test::Rows rows;
    for (int i = 0; i < 20000; ++i) {
        std::string row;
        for (std::size_t k = random.below(9); k > 0; --k) {
            row += "w" + std::to_string(random.below(1 + random.below(500))) + " , ";
        }
        if (i % 97 == 5) row += "only\xFFhere";
        rows.emplace_back(i % 50 == 3 ? std::nullopt : std::optional(row));
    }
    const auto array = dsir::test::TextArray::strings(rows);
    TermCounter one(true, {"w7"}, true);
    const auto invalid = one.add(array->column(), 1);
    std::vector<std::int64_t> bad;
    for (std::int64_t i = 5; i < 20000; i += 97) {
        if (rows[i]) bad.push_back(i);
    }
    CHECK_EQUAL(invalid, bad);
    TermCounter many(true, {"w7"}, true);
    CHECK_EQUAL(many.add(array->column(), 4), invalid);
    CHECK(!one.terms().find("w7", Vocabulary::hash_of("w7")).has_value());
    CHECK(!one.terms().find("only", Vocabulary::hash_of("only")).has_value());
    const TermCounts a = one.take(1);
    const TermCounts b = many.take(3);
    CHECK_EQUAL(a.offsets, b.offsets);
    CHECK(a.columns == b.columns);
    CHECK(a.counts == b.counts);
    CHECK_EQUAL(a.document_counts, b.document_counts);
    CHECK(std::is_sorted(a.document_counts.rbegin(), a.document_counts.rend()));
    std::vector<std::int64_t> met(a.document_counts.size());
    for (const std::int32_t column : a.columns) ++met[column];
    CHECK_EQUAL(met, a.document_counts);
}

TEST(vocabulary_tells_terms_apart) {
    Vocabulary vocabulary;
    for (std::uint32_t i = 0; i < 5000; ++i) {
        const std::string term = std::string(i % 40, 'x') + std::to_string(i);
        CHECK_EQUAL(vocabulary.add(term, Vocabulary::hash_of(term)), i);
    }
    for (std::uint32_t i = 0; i < 5000; ++i) {
        const std::string term = std::string(i % 40, 'x') + std::to_string(i);
        // All terms have the same hash, so their bytes tell them apart.
        CHECK_EQUAL(vocabulary.add(term, Vocabulary::hash_of(term)), i);
        CHECK(vocabulary[i] == term);
    }
    Vocabulary collisions;
    for (std::uint32_t i = 0; i < 50; ++i) {
        CHECK_EQUAL(collisions.add("t" + std::to_string(i), 42), i);
    }
    CHECK_EQUAL(collisions.add("t7", 42), 7);
    CHECK(!collisions.find("t50", 42).has_value());
}

TEST(sentences_of_any_bytes) {
    Random random(6);
    const std::string alphabet = "aB .!?\n\"\xE2\x80\xA6\xE3\x80\x82\xC3\xA9\xFF";
    for (int i = 0; i < 20000; ++i) {
        std::string text;
        for (std::size_t k = random.below(24); k > 0; --k) {
            text += alphabet[random.below(alphabet.size())];
        }
        const auto spans = dsir::text::sentence_spans(text);
        std::size_t at = 0;
        for (const auto& span : spans.value_or(std::vector<dsir::text::Span>{})) {
            CHECK(at <= span.begin && span.begin < span.end && span.end <= text.size());
            at = span.end;
        }
        CHECK(spans.has_value() ||
              text.find_first_of("\xFF\xE2\xE3\xC3\x80\x82\xA6\xA9") != std::string::npos);
    }
}

TEST(arrays_from_outside_are_checked) {
    using Offsets = std::vector<std::int64_t>;
    using Columns = std::vector<std::int32_t>;
    using Values = std::vector<double>;
    const auto checked = [](const Offsets& offsets, const Columns& columns, const Values& values,
                            const Values& scale) {
        return checked_sparse<double>(offsets, columns, values, scale).size;
    };
    CHECK_EQUAL(checked({0, 1, 3}, {1, 0, 1}, {1, 2, 3}, {1, 1}), 2);
    CHECK_EQUAL(checked({0}, {}, {}, {}), 0);
    CHECK_THROWS(std::invalid_argument, "one entry more than there are rows",
                 checked({}, {}, {}, {}));
    CHECK_THROWS(std::invalid_argument, "of equal length", checked({0, 1}, {0}, {}, {1}));
    CHECK_THROWS(std::invalid_argument, "begin at 0", checked({1, 1}, {0}, {1}, {1}));
    CHECK_THROWS(std::invalid_argument, "do not ascend",
                 checked({0, 2, 1, 2}, {0, 1}, {1, 1}, {1, 1}));
    CHECK_THROWS(std::invalid_argument, "row 0 has offsets that do not ascend",
                 checked({0, 5, 1}, {0}, {1}, {1}));
    CHECK_THROWS(std::invalid_argument, "out of range", checked({0, 1}, {1}, {1}, {1}));
    CHECK_THROWS(std::invalid_argument, "out of range", checked({0, 1}, {-1}, {1}, {1}));
    CHECK_THROWS(std::invalid_argument, "columns that do not ascend",
                 checked({0, 2}, {1, 1}, {1, 1}, {1, 1}));
    CHECK_THROWS(std::invalid_argument, "column_scale must be finite",
                 checked({0, 1}, {0}, {1}, {NAN}));
    // Their squares would be infinite or 0, and a row that is not zero would count as zero.
    for (const double value : {1e155, -1e155, 1e-160, -1e-160}) {
        CHECK_THROWS(std::invalid_argument, "1e-100 to 1e100", checked({0, 1}, {0}, {value}, {1}));
        CHECK_THROWS(std::invalid_argument, "1e-45 to 1e45", checked({0, 1}, {0}, {1}, {value}));
    }
    for (const double value : {1e100, -1e100, 1e-100, 0.0}) {
        const Offsets offsets{0, 1};
        const Columns columns{0};
        const Values values{value};
        const Values scale{1e45};
        const auto rows = checked_sparse<double>(offsets, columns, values, scale);
        CHECK(std::abs(cosine_degrees(rows, 1)[0] - (value == 0.0 ? 0.0 : 1.0)) < 1e-12);
    }
    const std::vector<float> dense{1, 2, NAN, 4};
    CHECK_THROWS(std::invalid_argument, "row 1 holds NaN", checked_dense(2, 2, dense.data()));
    CHECK_EQUAL(checked_dense(1, 2, dense.data()).size, 1);
    const auto graph = [](const Offsets& offsets, const Columns& neighbours) {
        return checked_graph(offsets, neighbours, nullptr).size;
    };
    CHECK_EQUAL(graph({0, 1, 2}, {1, 0}), 2);
    CHECK_THROWS(std::invalid_argument, "one entry more than there are units", graph({}, {}));
    CHECK_THROWS(std::invalid_argument, "begin at 0", graph({0, 1}, {0, 0}));
    CHECK_THROWS(std::invalid_argument, "ascend", graph({0, 3, 2}, {1, 0}));
    CHECK_THROWS(std::invalid_argument, "out of range", graph({0, 1, 2}, {1, 2}));
    CHECK_THROWS(std::invalid_argument, "out of range", graph({0, 1, 2}, {1, -1}));
}

TEST(pairs_are_counted_once_in_a_row) {
    const std::vector<std::int64_t> offsets{0, 4, 6, 7, 7, 8};
    const std::vector<std::int32_t> terms{1, 2, 1, 2, 1, 2, 3, 3};
    const auto shared = shared_pairs(offsets, terms, 2);
    CHECK(shared.offsets == (std::vector<std::int64_t>{0, 1, 2, 3, 3, 4}));
    CHECK(shared.pairs == (std::vector<std::int64_t>{0, 0, 1, 1}));
    CHECK(shared.rows == (std::vector<std::int64_t>{2, 2}));
    const auto all = shared_pairs(offsets, terms, 9);
    CHECK(all.pairs == (std::vector<std::int64_t>{0, 1, 0, 2, 2}));
    CHECK(all.rows == (std::vector<std::int64_t>{2, 1, 2}));
    const std::vector<std::int64_t> none{0};
    CHECK_EQUAL(shared_pairs(none, {}, 2).offsets.size(), 1U);
}

TEST(many_pairs_are_all_different) {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> terms;
    for (std::int32_t first = 1; first <= 90; ++first) {
        for (std::int32_t second = 1; second <= 90; ++second) {
            terms.insert(terms.end(), {first, second});
            offsets.push_back(static_cast<std::int64_t>(terms.size()));
        }
    }
    const auto found = shared_pairs(offsets, terms, 1);
    CHECK_EQUAL(found.rows.size(), 8100U);
    for (std::size_t pair = 0; pair < found.pairs.size(); ++pair) {
        CHECK_EQUAL(found.pairs[pair], static_cast<std::int64_t>(pair));
    }
}

TEST(tokens_are_numbered_by_their_first_occurrence) {
    TokenNumbers numbers;
    for (const dsir::test::Rows& rows :
         {dsir::test::Rows{"Ship ship, sail", std::nullopt, "bad \xFF ship"},
          dsir::test::Rows{"sail mast"}}) {
        const auto texts = dsir::test::TextArray::strings(rows);
        numbers.add(texts->column());
    }
    CHECK(numbers.offsets == (std::vector<std::int64_t>{0, 4, 4, 4, 6}));
    CHECK_EQUAL(numbers.numbers[0], 0);
    CHECK_EQUAL(numbers.numbers[1], 0);
    CHECK_EQUAL(numbers.numbers[3], numbers.numbers[4]);
    CHECK_EQUAL(numbers.tokens[static_cast<std::size_t>(numbers.numbers[5])], "mast");
}

}  // namespace
