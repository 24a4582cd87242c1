#include <cmath>
#include <map>

#include "check.hpp"
#include "fasttext/classifier.hpp"
#include "fasttext/label_tree.hpp"
#include "fasttext/model_file.hpp"
#include "fasttext/remainder.hpp"
#include "text_array.hpp"

// Model files written byte by byte, and their probabilities by the definition, with the strings
// themselves as keys.

namespace {

using namespace dsir::fasttext;
using dsir::test::Random;
using dsir::test::Rows;
using dsir::test::TextArray;
using dsir::text::RowStatus;

const std::vector<std::string> kWords = {
    "</s>", "the", "ship", "sea", "of", "\u00e9t\u00e9", "antidisestablishmentarianism"};

/// A model in memory, and its file.
struct Model {
    Settings settings{5, 2, Loss::softmax, 30, 0, 0};
    std::vector<std::string> labels = {"__label__sea", "__label__law", "__label__bake"};
    std::vector<std::int64_t> counts = {9, 5, 2};
    std::vector<std::vector<float>> input;
    std::vector<std::vector<float>> output;

    explicit Model(Settings given = {5, 2, Loss::softmax, 30, 0, 0}) : settings(given) {
        Random random(7);
        const auto fill = [&](auto& rows, std::size_t count) {
            rows.assign(count, std::vector<float>(static_cast<std::size_t>(settings.dim)));
            for (auto& row : rows) {
                for (float& value : row) value = static_cast<float>(random.uniform() * 4 - 2);
            }
        };
        fill(input, kWords.size() + static_cast<std::size_t>(settings.bucket));
        fill(output, labels.size());
    }

    std::string file() const {
        std::string bytes;
        const auto put = [&bytes](auto value) {
            bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
        };
        for (const std::int32_t number :
             {793712314, 12, settings.dim, 5, 5, 1, 5, settings.word_ngrams,
              static_cast<std::int32_t>(settings.loss), 3, settings.bucket, settings.minn,
              settings.maxn, 100}) {
            put(number);
        }
        put(1e-4);
        put(static_cast<std::int32_t>(kWords.size() + labels.size()));
        put(static_cast<std::int32_t>(kWords.size()));
        put(static_cast<std::int32_t>(labels.size()));
        put(std::int64_t{100});
        put(std::int64_t{-1});
        for (const std::string& word : kWords) {
            bytes += word + '\0';
            put(std::int64_t{3});
            put(std::int8_t{0});
        }
        for (std::size_t l = 0; l < labels.size(); ++l) {
            bytes += labels[l] + '\0';
            put(counts[l]);
            put(std::int8_t{1});
        }
        for (const auto* matrix : {&input, &output}) {
            put(std::int8_t{0});
            put(static_cast<std::int64_t>(matrix->size()));
            put(static_cast<std::int64_t>(settings.dim));
            for (const auto& row : *matrix) {
                for (const float value : row) put(value);
            }
        }
        return bytes;
    }

    void add_subwords(const std::string& word, std::vector<std::size_t>& rows) const {
        std::vector<std::string> characters;
        for (const char c : "<" + word + ">") {
            if ((c & 0xC0) == 0x80) {
                characters.back() += c;
            } else {
                characters.emplace_back(1, c);
            }
        }
        const auto size = static_cast<std::int32_t>(characters.size());
        for (std::int32_t begin = 0; begin < size; ++begin) {
            std::string text;
            for (std::int32_t n = 1; n <= settings.maxn && begin + n <= size; ++n) {
                text += characters[static_cast<std::size_t>(begin + n - 1)];
                if (n < settings.minn || (n == 1 && (begin == 0 || begin + n == size))) continue;
                rows.push_back(kWords.size() +
                               hash_of(text) % static_cast<std::uint32_t>(settings.bucket));
            }
        }
    }

    /// The rows of the features of words.
    std::vector<std::size_t> rows_of(std::vector<std::string> words) const {
        words.emplace_back("</s>");
        std::vector<std::size_t> rows;
        for (const std::string& word : words) {
            const auto known = std::find(kWords.begin(), kWords.end(), word);
            if (known != kWords.end()) {
                rows.push_back(static_cast<std::size_t>(known - kWords.begin()));
            }
            if (settings.maxn > 0 && word != "</s>") add_subwords(word, rows);
        }
        for (std::size_t i = 0; i < words.size(); ++i) {
            auto hash = static_cast<std::uint64_t>(static_cast<std::int32_t>(hash_of(words[i])));
            for (std::size_t n = 1;
                 n < static_cast<std::size_t>(settings.word_ngrams) && i + n < words.size(); ++n) {
                hash = hash * 116049371 +
                       static_cast<std::uint64_t>(static_cast<std::int32_t>(hash_of(words[i + n])));
                rows.push_back(kWords.size() + hash % static_cast<std::uint64_t>(settings.bucket));
            }
        }
        return rows;
    }

    /// The probabilities of softmax.
    std::vector<double> probabilities(const std::vector<std::string>& words) const {
        const std::vector<std::size_t> rows = rows_of(words);
        std::vector<double> found;
        double sum = 0;
        for (const auto& weights : output) {
            double score = 0;
            for (const std::size_t row : rows) {
                for (std::size_t c = 0; c < weights.size(); ++c) {
                    score += double{weights[c]} * double{input[row][c]};
                }
            }
            found.push_back(std::exp(score / static_cast<double>(rows.size())));
            sum += found.back();
        }
        for (double& value : found) value = value / sum + 1e-5;
        return found;
    }
};

std::vector<float> probabilities(const std::string& file, const Rows& rows, unsigned threads = 1) {
    const Classifier classifier(file);
    const auto array = TextArray::strings(rows);
    std::vector<float> found(rows.size() * classifier.scorer().layer().labels());
    std::vector<RowStatus> status(rows.size());
    classifier.probabilities(array->column(), threads, found.data(), status.data());
    return found;
}

TEST(probabilities_are_those_of_the_definition) {
    for (const Settings settings :
         {Settings{5, 2, Loss::softmax, 30, 0, 0}, Settings{40, 1, Loss::softmax, 30, 2, 4},
          Settings{3, 4, Loss::softmax, 7, 1, 3}}) {
        const Model model(settings);
        const std::vector<std::vector<std::string>> texts = {
            {},
            {"the"},
            {"the", "ship", "of", "the", "sea"},
            {"unknown", "the"},
            {"\u00e9t\u00e9", "antidisestablishmentarianism", "\u6d77\u6d77"}};
        Rows rows;
        for (const auto& words : texts) {
            std::string text;
            for (const std::string& word : words) text += word + (rows.size() % 2 ? "\n" : "  ");
            rows.emplace_back(text);
        }
        const std::vector<float> found = probabilities(model.file(), rows);
        for (std::size_t t = 0; t < texts.size(); ++t) {
            const auto expected = model.probabilities(texts[t]);
            for (std::size_t l = 0; l < expected.size(); ++l) {
                CHECK(std::abs(double{found[t * expected.size() + l]} - expected[l]) < 1e-6);
            }
        }
    }
}

TEST(rows_without_text_have_no_probabilities) {
    const auto found = probabilities(Model().file(), {std::nullopt, "\xff", "the"});
    for (std::size_t i = 0; i < 6; ++i) CHECK_EQUAL(found[i], 0.0F);
    CHECK(found[6] > 0);
}

TEST(threads_change_no_bit) {
    Random random(3);
    Rows rows;
    for (int i = 0; i < dsir::test::rounds(500); ++i) {
        std::string text;
        for (std::size_t k = random.below(60); k > 0; --k) {
            text += kWords[random.below(kWords.size())] + (random.below(9) == 0 ? "x " : " ");
        }
        rows.emplace_back(text);
    }
    for (const Loss loss :
         {Loss::softmax, Loss::one_vs_all, Loss::negative_sampling, Loss::hierarchical_softmax}) {
        const std::string file = Model({5, 3, loss, 30, 2, 3}).file();
        CHECK(probabilities(file, rows, 4) == probabilities(file, rows));
    }
}

TEST(log_odds_are_of_the_probabilities_and_explained) {
    for (const Loss loss : {Loss::softmax, Loss::hierarchical_softmax}) {
        const std::string file = Model({5, 2, loss, 30, 0, 0}).file();
        const Classifier classifier(file);
        const std::string text = "the ship of the sea";
        const auto array = TextArray::strings({text});
        const auto found = probabilities(file, {text});
        for (std::size_t label = 0; label < 3; ++label) {
            double log_odds = 0;
            classifier.scorer().log_odds(array->column(), label, 1, &log_odds);
            const double p = double{found[label]} - 1e-5;
            CHECK(std::abs(log_odds - std::log(p / (1 - p))) < 1e-3);
            double explained = 0;
            for (const auto& one : classifier.scorer().explain(text, label)) {
                explained += one.contribution;
            }
            CHECK(std::abs(explained - log_odds) < 1e-9);
        }
    }
}

TEST(files_that_end_early_are_refused) {
    const std::string file = Model().file();
    const Classifier whole(file);
    for (std::size_t size = 0; size < file.size(); ++size) {
        const std::string cut = file.substr(0, size);
        CHECK_THROWS(std::invalid_argument, "", Classifier(cut));
    }
    const std::string longer = file + "x";
    CHECK_THROWS(std::invalid_argument, "1 bytes behind its end", Classifier(longer));
}

TEST(numbers_whose_sums_are_infinite_are_refused) {
    constexpr float kLarge = 3e38F;
    Model words({5, 1, Loss::one_vs_all, 30, 2, 4});
    // Small weights, so that no product is too large; a word and its subwords add up to too much.
    for (auto& row : words.output) row.assign(row.size(), 0.25F);
    for (auto& row : words.input) row.assign(row.size(), kLarge / 2);
    CHECK_THROWS(std::invalid_argument, "too large to add up", Classifier(words.file()));

    // Eight labels have more scores than columns, so the weights are kept as they are.
    Model labels;
    labels.labels.clear();
    for (char c = 'a'; c < 'i'; ++c) labels.labels.push_back(std::string("__label__") + c);
    labels.counts.assign(8, 3);
    labels.output.assign(8, std::vector<float>(5, kLarge));
    const Classifier equal(labels.file());
    labels.output.back().assign(5, -kLarge);
    CHECK_THROWS(std::invalid_argument, "too large to subtract", Classifier(labels.file()));

    Model products;
    products.input[1].assign(5, kLarge);
    products.output[0].assign(5, kLarge);
    CHECK_THROWS(std::invalid_argument, "too large to multiply", Classifier(products.file()));
}

TEST(trees_join_the_rarest_first) {
    const std::vector<std::int64_t> counts = {50, 20, 10, 5};
    const LabelTree tree(counts);
    CHECK_EQUAL(tree.splits(), 3);
    for (std::size_t label = 0; label < 4; ++label) {
        CHECK_EQUAL(tree.path(label).size(), std::min<std::size_t>(label + 1, 3));
    }
    // 10 and 5 make the first split: the smaller count is on the left.
    CHECK_EQUAL(tree.children(0).left, 3);
    CHECK_EQUAL(tree.children(0).right, 2);
    CHECK_EQUAL(LabelTree(std::vector<std::int64_t>{7}).splits(), 0);
    CHECK_THROWS(std::invalid_argument, "count", LabelTree(std::vector<std::int64_t>{-1, 3}));
}

TEST(remainders_are_exact) {
    Random random(1);
    for (const std::uint32_t divisor : {1U, 2U, 3U, 1000U, 2'000'000U, 2147483647U}) {
        const Remainder remainder(divisor);
        for (const std::uint64_t number :
             {std::uint64_t{0}, std::uint64_t{divisor}, ~std::uint64_t{0}}) {
            CHECK_EQUAL(remainder.of(number), number % divisor);
        }
        CHECK_EQUAL(remainder.of(~std::uint32_t{0}), ~std::uint32_t{0} % divisor);
        for (int i = 0; i < 2000; ++i) {
            const std::uint64_t number = random.word();
            CHECK_EQUAL(remainder.of(number), number % divisor);
            const auto low = static_cast<std::uint32_t>(number);
            CHECK_EQUAL(remainder.of(low), low % divisor);
        }
    }
}

}  // namespace
