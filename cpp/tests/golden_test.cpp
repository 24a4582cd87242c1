// The same answer on every machine: digests of results, taken on x86-64 with the scalar kernels and
// compiled into this test. An intended change, such as a new version of a hash or of the draw,
// changes the digests, and with them the files that users hold.

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "check.hpp"
#include "coverage/bucket_lists.hpp"
#include "coverage/relevance.hpp"
#include "gais/attention_network.hpp"
#include "gais/group_neighbours.hpp"
#include "gais/judges/judges.hpp"
#include "gais/prototypes.hpp"
#include "lexrank/centrality.hpp"
#include "lexrank/similarity_join.hpp"
#include "ngram/bootstrap.hpp"
#include "ngram/kernels.hpp"
#include "sampling/threshold_search.hpp"
#include "simd/cpu.hpp"
#include "text_array.hpp"

namespace {

using dsir::test::Random;
using dsir::test::Rows;
using dsir::test::TextArray;

/// A digest of every added bit, in order. Two inputs that differ in a single word give different
/// digests.
class Digest {
  public:
    void add(std::uint64_t word) {
        state_ = (state_ ^ word) * 0x9E3779B97F4A7C15ULL;
        state_ ^= state_ >> 32;
    }
    void add(std::int64_t value) { add(static_cast<std::uint64_t>(value)); }
    void add(std::int32_t value) { add(static_cast<std::uint64_t>(value)); }
    void add(std::uint32_t value) { add(std::uint64_t{value}); }
    void add(double value) { add(std::bit_cast<std::uint64_t>(value)); }
    void add(float value) { add(std::bit_cast<std::uint32_t>(value)); }
    template <class Value>
    void add(const std::vector<Value>& values) {
        add(std::uint64_t{values.size()});
        for (const Value& value : values) add(value);
    }
    std::string hex() const {
        std::string text;
        for (int shift = 60; shift >= 0; shift -= 4) {
            text += "0123456789abcdef"[(state_ >> shift) & 15];
        }
        return text;
    }

  private:
    std::uint64_t state_ = 0xCBF29CE484222325ULL;
};

template <class... Values>
std::string digest_of(const Values&... values) {
    Digest digest;
    (digest.add(values), ...);
    return digest.hex();
}

/// Documents of words, numbers, punctuation and several scripts. A few are null or not UTF-8.
Rows made_up_corpus(std::uint64_t seed, std::size_t size) {
    static const std::vector<std::string> pieces = {
        "the",  "of",  "Queen", "ALICE",  "it's",   "don't", "U.S.",    "3.14", "_9",   "!",
        "...",  "(a)", "été",   "ÉCOLE",  "straße", "ΑΣ",    "İ",       "中文", "かな", "、",
        "тест", "ﬁn",  "😀",    "\u00a0", "\n",     "\t",    "e\u0301", "x÷y",  "ÿ",    "“q”"};
    Random random(seed);
    Rows rows;
    for (std::size_t i = 0; i < size; ++i) {
        std::string text;
        const std::size_t usual = i % 3 == 0 ? pieces.size() : 12;  // two out of three are ASCII
        for (std::size_t k = random.below(i % 25 == 0 ? 3000 : 120); k > 0; --k) {
            if (random.below(9) == 0) {
                const std::size_t length = 1 + random.below(40);
                text += std::string(length, static_cast<char>('A' + random.below(58)));
            } else {
                text += pieces[random.below(usual)];
            }
            if (random.below(6) != 0) text += ' ';
        }
        const std::size_t fate = random.below(30);
        if (fate == 0) text.insert(random.below(text.size() + 1), "\xE9");
        rows.push_back(fate == 1 ? std::nullopt : std::optional(text));
    }
    return rows;
}

std::vector<float> values_between(Random& random, std::size_t size, double least, double most) {
    std::vector<float> values(size);
    for (float& value : values) {
        value = static_cast<float>(least + (most - least) * random.uniform());
    }
    return values;
}

TEST(coverage) {
    using namespace dsir::coverage;
    using namespace dsir::ngram;
    const auto raw = TextArray::strings(made_up_corpus(1, 300));
    const auto target = TextArray::strings(made_up_corpus(2, 60));
    const FeatureSpec spec{2, 1U << 14, HashKind::fast, {dsir::text::TokenizerKind::wordpunct}};
    std::vector<std::int64_t> of_raw(spec.buckets);
    std::vector<std::int64_t> of_target(spec.buckets);
    count(raw->column(), spec, -1, 2, of_raw.data());
    count(target->column(), spec, -1, 2, of_target.data());
    const auto table = relevance(of_target.data(), of_raw.data(), spec.buckets, 3.0);
    CHECK_EQUAL(digest_of(table, raw_shares(of_raw.data(), spec.buckets)),
                std::string("90efa0573126d8d9"));

    std::vector<double> left_out(60);
    std::vector<std::uint32_t> tokens(60);
    const LeftOneOut others(of_target.data(), of_raw.data(), spec.buckets, 3.0);
    for (const unsigned threads : {1U, 3U}) {
        others.score(target->column(), spec, threads, left_out.data(), tokens.data());
        CHECK_EQUAL_FOR(threads, digest_of(left_out, tokens), std::string("b557d75c9c21c5ca"));
    }

    std::vector<std::int64_t> positions;
    for (std::int64_t row = 1; row < 300; row += 2) positions.push_back(row);
    const auto lists = bucket_lists(raw->column(), spec, positions, 1);
    const auto again = bucket_lists(raw->column(), spec, positions, 3);
    CHECK(lists.offsets == again.offsets && lists.buckets == again.buckets);
    const ListsView view{lists.offsets, lists.buckets};
    std::vector<std::uint8_t> wanted(positions.size(), 1);
    wanted[3] = wanted[70] = 0;
    std::vector<double> gains(positions.size());
    const LogRatioTable entries(table.data(), 1, table.size());
    for (const unsigned threads : {1U, 3U}) {
        mean_entries(view, entries, wanted.data(), threads, gains.data());
        CHECK_EQUAL_FOR(threads, digest_of(gains), std::string("e77e1c1fa245b0cf"));
    }
    // The gains of a table are the log-weights that scoring takes from it as means.
    std::vector<double> means(300);
    std::vector<std::uint32_t> numbers(300);
    std::vector<std::uint32_t> bytes(300);
    std::vector<dsir::text::RowStatus> status(300);
    score(raw->column(), spec, entries, Weighing{1, 1.0, {}, {}}, 2,
          {means.data(), numbers.data(), bytes.data(), status.data()});
    std::vector<std::int64_t> counted(spec.buckets);
    add_counts(view, wanted.data(), counted.data());
    std::int64_t ngrams = 0;
    for (std::size_t i = 0; i < positions.size(); ++i) {
        const auto row = static_cast<std::size_t>(positions[i]);
        CHECK_EQUAL_FOR(row, gains[i], wanted[i] == 0 ? 0.0 : means[row]);
        if (wanted[i] != 0) ngrams += static_cast<std::int64_t>(ngram_count(numbers[row], 2));
    }
    for (const std::int64_t count_of_bucket : counted) ngrams -= count_of_bucket;
    CHECK_EQUAL(ngrams, 0);
}

TEST(counts_and_log_weights) {
    using namespace dsir::ngram;
    using dsir::text::RowStatus;
    using dsir::text::TokenizerKind;
    const auto raw = TextArray::strings(made_up_corpus(1, 300));
    const auto target = TextArray::strings(made_up_corpus(2, 60));
    const struct {
        HashKind hash;
        TokenizerKind tokenizer;
        unsigned n;
        const char* counts;
        const char* log_weights;
    } golden[] = {
        {HashKind::fast, TokenizerKind::wordpunct, 1, "a4a24935d845b0f5", "ff8e504d1b7ead7e"},
        {HashKind::fast, TokenizerKind::wordpunct, 2, "f4f774284d38c1d7", "2854ec35ac97c615"},
        {HashKind::fast, TokenizerKind::word_tokenize, 3, "b8c62dca7fd6c47d", "c5bf7f8812a50674"},
        {HashKind::sha256, TokenizerKind::wordpunct, 1, "ccbecebc7d435f83", "5fc4575711221d14"},
        {HashKind::sha256, TokenizerKind::wordpunct, 2, "26be8e165465609a", "2d82d2bee344eb7c"},
        {HashKind::sha256, TokenizerKind::word_tokenize, 3, "0e43950250be62fb", "1d245105b88363e3"},
    };
    constexpr std::size_t kTargets = 11;
    for (const auto& [hash, tokenizer, n, expected_counts, expected_log_weights] : golden) {
        const FeatureSpec spec{n, 10000, hash, {tokenizer}};
        std::vector<std::int64_t> of_raw(spec.buckets);
        std::vector<std::int64_t> of_target(spec.buckets);
        const CountResult counted = count(raw->column(), spec, -1, 2, of_raw.data());
        count(target->column(), spec, -1, 2, of_target.data());
        const std::string context =
            std::to_string(static_cast<int>(hash)) + " " + std::to_string(n);
        CHECK_EQUAL_FOR(context, digest_of(of_raw, of_target, counted.tokens, counted.invalid_rows),
                        std::string(expected_counts));

        // Eleven targets, by different smoothing: alone, by length, and mixed.
        std::vector<double> ratios;
        for (std::size_t t = 0; t < kTargets; ++t) {
            const auto own = log_ratio(of_target.data(), of_raw.data(), spec.buckets,
                                       0.5 * static_cast<double>(t));
            ratios.insert(ratios.end(), own.begin(), own.end());
        }
        Digest digest;
        const auto rows = static_cast<std::size_t>(raw->column().size());
        for (const Weighing& weighing :
             {Weighing{kTargets, 0.4, {}, {}},
              Weighing{kTargets, 1.0, {}, std::vector<double>(kTargets, 1.0 / kTargets)},
              Weighing{1, 0.0, {}, {}}, Weighing{1, 0.0, {poisson_terms(90.0, 55.5)}, {}}}) {
            const LogRatioTable table(ratios.data(), weighing.targets, spec.buckets);
            std::vector<double> log_weight(rows * weighing.columns());
            std::vector<std::uint32_t> tokens(rows), bytes(rows);
            std::vector<RowStatus> status(rows);
            score(raw->column(), spec, table, weighing, 2,
                  {log_weight.data(), tokens.data(), bytes.data(), status.data()});
            digest.add(log_weight);
            digest.add(tokens);
            digest.add(bytes);
        }
        CHECK_EQUAL_FOR(context, digest.hex(), std::string(expected_log_weights));
    }
}

TEST(replicates_of_a_bootstrap) {
    using namespace dsir::ngram;
    const auto raw = TextArray::strings(made_up_corpus(3, 200));
    BootstrapCounts counts({2, 1000}, {77, 1}, 20);
    counts.add(raw->column(), (std::uint64_t{1} << 33) - 100, 2);
    std::vector<std::int64_t> replicate(1000);
    Digest digest;
    for (std::uint32_t i = 0; i < counts.replicates(); ++i) {
        counts.copy_replicate(i, replicate.data());
        digest.add(replicate);
    }
    CHECK_EQUAL(digest.hex(), std::string("142e6bdb57a009d8"));
}

TEST(rows_drawn) {
    using namespace dsir::sampling;
    Random random(4);
    // Rows from 2^32 - 30,000 on, some without a weight. Costs are in tokens.
    std::vector<double> log_weight(100000);
    std::vector<std::uint32_t> cost(log_weight.size());
    for (std::size_t i = 0; i < log_weight.size(); ++i) {
        log_weight[i] = random.below(50) == 0 ? -std::numeric_limits<double>::infinity()
                                              : random.uniform() * 30 - 25;
        cost[i] = static_cast<std::uint32_t>(random.below(900));
    }
    const Documents documents{log_weight.data(), nullptr, cost.data(),
                              static_cast<std::int64_t>(log_weight.size()),
                              (std::uint64_t{1} << 32) - 30000};
    const struct {
        KeySettings settings;
        const char* rows;
    } golden[] = {
        {{0, 0, 1.0, true}, "b0e14d0a4d0b07bc"},
        {{12345678901234567ULL, 3, 0.1, true}, "78a4b086c766bb4c"},
        {{5, 1, 20.0, true}, "c884060b5b0e66be"},
        {{0, 0, 1.0, false}, "3aa034b75f56ac89"},
    };
    for (const auto& [settings, expected] : golden) {
        ThresholdSearch search(settings, 1000000, 4096);
        while (!search.done()) {
            search.add(documents, 2);
            search.end_pass();
        }
        const auto rows = selected_positions(settings, search.threshold(), documents, 2);
        CHECK(rows.size() > 1000);
        CHECK_EQUAL_FOR(settings.temperature,
                        digest_of(rows, search.cost(), search.threshold().key),
                        std::string(expected));
    }
}

TEST(centrality_of_units) {
    using namespace dsir::lexrank;
    using dsir::numeric::SparseRows;
    // Frequent columns and rare ones. Some rows are empty.
    Random random(5);
    const std::int64_t size = 300;
    const std::int64_t width = 80;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> columns;
    std::vector<double> values;
    std::vector<double> scale;
    for (std::int32_t c = 0; c < width; ++c) scale.push_back(0.5 + random.uniform());
    for (std::int64_t i = 0; i < size; ++i) {
        for (std::int32_t c = 0; c < width && i % 17 != 3; ++c) {
            if (random.uniform() >= 3.0 / (2.0 + c)) continue;
            columns.push_back(c);
            values.push_back(1.0 + static_cast<double>(random.below(4)));
        }
        offsets.push_back(static_cast<std::int64_t>(columns.size()));
    }
    const SparseRows<double> rows{size,           width,         offsets.data(),
                                  columns.data(), values.data(), scale.data()};
    const Graph near = threshold_join(rows, {0.2, false, true, 2, 64}, true);
    CHECK_EQUAL(digest_of(near.offsets, near.neighbours, near.weights),
                std::string("fde27306e3076787"));
    const Graph nearest = top_k_join(rows, {0.05, false, false, 2, 0}, 7, true);
    CHECK_EQUAL(digest_of(nearest.offsets, nearest.neighbours, nearest.weights),
                std::string("3bd6d5cf6cba5b64"));
    WalkSettings settings;
    settings.tolerance = 1e-12;
    settings.threads = 2;
    const Walk over_graph =
        walk_graph({size, near.offsets.data(), near.neighbours.data(), nullptr}, settings);
    CHECK_EQUAL(digest_of(over_graph.scores, over_graph.iterations),
                std::string("73b94c4027d5be21"));
    const Walk over_all = walk_cosines(rows, settings);
    CHECK_EQUAL(digest_of(over_all.scores, over_all.iterations), std::string("d1c1f9ab2d38795d"));
}

TEST(attention_and_prototypes) {
    using namespace dsir::gais;
    using dsir::numeric::DenseRows;
    Random random(6);
    const std::int64_t size = 400;
    const std::int64_t width = 6;
    const auto features = values_between(random, size * width, -2, 2);
    const DenseRows rows{size, width, features.data()};
    std::vector<std::int32_t> labels;
    std::vector<std::int32_t> order;
    for (std::int32_t i = 0; i < size; ++i) {
        labels.push_back(features[static_cast<std::size_t>(i * width)] > 0.3F ? 1 : 0);
        order.push_back((i * 7) % static_cast<std::int32_t>(size));
    }
    const std::vector<std::int64_t> halves{0, 200, 400};
    const Neighbours near = group_neighbours(rows, {{order.data(), halves.data(), 2}}, 8, -9.0F, 2);
    CHECK_EQUAL(digest_of(near.neighbours, near.cosines), std::string("baf2c656b60c5041"));

    const AttentionGraph graph = make_attention_graph(near.offsets, near.neighbours);
    const std::vector<float> node_weights(static_cast<std::size_t>(size), 1.0F / 400);
    const struct {
        NetworkShape shape;  // two shapes with kernels of their own, and one without
        const char* found;
    } golden[] = {{{width, 4, 8, 2}, "e6d8bfadeaaf715b"},
                  {{width, 4, 8, 3}, "0a728ad697f095f6"},
                  {{width, 3, 5, 4}, "6ac97459fa76b8fa"}};
    NetworkMemory<float> memory;  // What an earlier shape left there does not matter.
    for (const auto& [shape, expected] : golden) {
        auto weights = values_between(random, static_cast<std::size_t>(shape.weights()), -0.5, 0.5);
        std::vector<float> gradient(weights.size());
        Digest digest;
        for (std::uint64_t step = 0; step < 5; ++step) {
            digest.add(network_gradient(graph, features.data(), labels.data(), node_weights.data(),
                                        shape, weights.data(), {0.3, 0.2, step}, memory,
                                        gradient.data(), 2));
            for (std::size_t k = 0; k < weights.size(); ++k) weights[k] -= 0.5F * gradient[k];
        }
        digest.add(weights);
        const auto output = run_network(graph, features.data(), shape, weights.data(), 2);
        digest.add(output.embeddings);
        digest.add(output.logits);
        digest.add(output.first_attention);
        digest.add(output.second_attention);
        CHECK_EQUAL_FOR(shape.logits(), digest.hex(), std::string(expected));
    }

    const Parts parts{order.data(), halves.data(), 2};
    const std::vector<std::int64_t> wanted{15, 25};
    auto prototypes = cluster_prototypes(rows, parts, wanted.data(), 10, 3, 2);
    CHECK_EQUAL(digest_of(prototypes), std::string("44512a21afe78ed0"));
    const std::vector<std::uint8_t> allowed(static_cast<std::size_t>(size), 1);
    const std::vector<std::int64_t> ends{0, 15, 40};
    std::vector<double> losses(4);
    exchange_prototypes(rows, labels.data(), allowed.data(), parts, ends.data(), prototypes.data(),
                        losses.data(), {6.0, 10.0, 0.7, 9}, 2);
    CHECK_EQUAL(digest_of(prototypes, losses), std::string("10124a15ad2f7ab8"));

    std::vector<std::int32_t> asked_rows;
    for (std::int32_t i = 0; i < size; i += 3) asked_rows.push_back(i);
    const std::vector<std::int64_t> candidates{0, 15, 40};
    const auto verdicts = dsir::gais::judges::judge_candidates(
        {rows, labels.data(), 2}, {prototypes.data(), nullptr, candidates.data(), 2},
        {asked_rows.data(), static_cast<std::int64_t>(asked_rows.size())}, {8, 1}, 60, 2);
    // The share of rows that each judge named rightly, after training on each candidate.
    std::vector<double> shares;
    for (std::size_t at = 0; at < verdicts.tallies.size(); at += 6) {
        const std::int64_t* tally = verdicts.tallies.data() + at;
        shares.push_back(static_cast<double>(tally[2] + tally[5]) /
                         static_cast<double>(tally[0] + tally[3]));
    }
    CHECK_EQUAL(digest_of(shares), std::string("714af02c72a3875d"));
}

}  // namespace
