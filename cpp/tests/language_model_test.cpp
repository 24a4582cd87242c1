#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "check.hpp"
#include "language_model/kneser_ney.hpp"
#include "language_model/token_numbers.hpp"

namespace {

using namespace dsir::language_model;

using Text = std::vector<std::uint32_t>;
using Texts = std::vector<Text>;

/// Documents in memory of their own.
struct Owned {
    std::vector<std::int64_t> offsets = {0};
    std::vector<std::uint32_t> tokens;

    explicit Owned(const Texts& texts) {
        for (const Text& text : texts) {
            tokens.insert(tokens.end(), text.begin(), text.end());
            offsets.push_back(static_cast<std::int64_t>(tokens.size()));
        }
    }

    Documents view() const { return {offsets, tokens}; }
};

/// The definition, with maps: every probability is a few sums over all n-grams.
class Definition {
  public:
    Definition(const Texts& texts, double vocabulary) : vocabulary_(vocabulary) {
        for (const Text& text : texts) {
            std::int64_t x = -1;
            std::int64_t y = -1;
            for (const std::uint32_t z : text) {
                ++trigrams_[{x, y, z}];
                x = std::exchange(y, z);
            }
        }
        for (const auto& [key, count] : trigrams_) {
            ++bigrams_[{std::get<1>(key), std::get<2>(key)}];
        }
        for (const auto& [key, count] : bigrams_) ++tokens_[key.second];
    }

    double operator()(std::int64_t x, std::int64_t y, std::int64_t z) const {
        const double one = discount(tokens_);
        double total = 0;
        for (const auto& [key, count] : tokens_) total += count;
        double found = tokens_.count(z) != 0 ? tokens_.at(z) : 0;
        const auto types = static_cast<double>(tokens_.size());
        double p = 1 / vocabulary_;
        if (total > 0) p = (std::max(found - one, 0.0) + one * types * p) / total;
        p = after(
            bigrams_, [y](const auto& key) { return key.first == y; },
            [z](const auto& key) { return key.second == z; }, p);
        return after(
            trigrams_,
            [x, y](const auto& key) { return std::get<0>(key) == x && std::get<1>(key) == y; },
            [z](const auto& key) { return std::get<2>(key) == z; }, p);
    }

  private:
    template <class Counts>
    static double discount(const Counts& counts) {
        double once = 0;
        double twice = 0;
        for (const auto& [key, count] : counts) {
            once += count == 1;
            twice += count == 2;
        }
        return once > 0 && twice > 0 ? once / (once + 2 * twice) : 0.5;
    }

    template <class Counts, class IsContext, class IsToken>
    static double after(const Counts& counts, IsContext is_context, IsToken is_token,
                        double lower) {
        double total = 0;
        double types = 0;
        double found = 0;
        for (const auto& [key, count] : counts) {
            if (!is_context(key)) continue;
            total += count;
            types += 1;
            if (is_token(key)) found = count;
        }
        if (total == 0) return lower;
        const double d = discount(counts);
        return (std::max(found - d, 0.0) + d * types * lower) / total;
    }

    double vocabulary_;
    std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, double> trigrams_;
    std::map<std::pair<std::int64_t, std::int64_t>, double> bigrams_;
    std::map<std::int64_t, double> tokens_;
};

Texts some_texts(unsigned seed, int documents, std::uint32_t tokens) {
    std::mt19937 random(seed);
    Texts texts;
    for (int i = 0; i < documents; ++i) {
        Text text(random() % 40);
        // The smaller a token, the more often it comes.
        for (std::uint32_t& token : text) {
            const auto most = static_cast<std::uint32_t>(random() % tokens);
            token = 77 * static_cast<std::uint32_t>(random() % (1 + most));
        }
        texts.push_back(std::move(text));
    }
    return texts;
}

std::vector<double> sums_of(const KneserNey& model, const Texts& texts, unsigned threads = 1) {
    const Owned documents(texts);
    std::vector<double> sums(texts.size());
    model.log_probabilities(documents.view(), threads, sums.data());
    return sums;
}

TEST(tokens_are_numbered_from_one_in_order) {
    const std::vector<std::uint32_t> tokens = {64, 5, 63, 5, 1000};
    const TokenNumbers numbers(tokens);
    CHECK_EQUAL(numbers.size(), 4U);
    CHECK_EQUAL(numbers[5], 1U);
    CHECK_EQUAL(numbers[63], 2U);
    CHECK_EQUAL(numbers[64], 3U);
    CHECK_EQUAL(numbers[1000], 4U);
    CHECK_EQUAL(numbers[0], TokenNumbers::kUnknown);
    CHECK_EQUAL(numbers[999], TokenNumbers::kUnknown);
    CHECK_EQUAL(numbers[0x0FFFFFFF], TokenNumbers::kUnknown);
}

TEST(probabilities_are_those_of_the_definition) {
    const std::vector<std::uint32_t> sizes = {2, 7, 30};
    for (const std::uint32_t size : sizes) {
        const Texts train = some_texts(size, 12, size);
        const Texts other = some_texts(size + 100, 6, size + 3);
        const KneserNey model(Owned(train).view(), 1000, 1);
        const Definition expected(train, 1000);
        const std::vector<double> sums = sums_of(model, other);
        for (std::size_t i = 0; i < other.size(); ++i) {
            double sum = 0;
            std::int64_t x = -1;
            std::int64_t y = -1;
            for (const std::uint32_t z : other[i]) {
                sum += std::log(expected(x, y, z));
                x = std::exchange(y, z);
            }
            CHECK(std::abs(sums[i] - sum) < 1e-9 * (1 + std::abs(sum)));
        }
    }
}

TEST(probabilities_of_all_tokens_add_up_to_one) {
    const Texts train = some_texts(3, 20, 9);
    const std::uint32_t vocabulary = 77 * 12;  // tokens below occur or could
    const KneserNey model(Owned(train).view(), vocabulary, 1);
    const std::vector<Text> contexts = {{}, {0}, {0, 77}, {77, 0}, {5, 0}, {0, 5}};
    for (const Text& context : contexts) {
        Texts each;
        for (std::uint32_t token = 0; token < vocabulary; ++token) {
            each.push_back(context);
            each.back().push_back(token);
        }
        const double before = sums_of(model, {context})[0];
        double sum = 0;
        for (const double one : sums_of(model, each)) sum += std::exp(one - before);
        CHECK(std::abs(sum - 1) < 1e-12);
    }
}

TEST(threads_do_not_change_a_bit) {
    const Texts train = some_texts(5, 400, 60);
    const Texts other = some_texts(6, 200, 70);
    const std::vector<double> expected = sums_of(KneserNey(Owned(train).view(), 1000, 1), other);
    for (const unsigned threads : {2U, 5U}) {
        const KneserNey model(Owned(train).view(), 1000, threads);
        CHECK(sums_of(model, other, threads) == expected);
    }
}

TEST(trigrams_are_counted_without_marks) {
    const Texts texts = {{1, 2, 3, 1, 2, 3}, {1}, {}, {4, 5}, {2, 3, 1}};
    const KneserNey model(Owned(texts).view(), 10, 1);
    CHECK_EQUAL(model.trigrams(), 5);  // 123 231 312 123, 231
    CHECK_EQUAL(model.distinct_trigrams(), 3);
}

TEST(a_model_of_nothing_gives_equal_shares) {
    for (const Texts& nothing : {Texts{}, Texts{{}, {}}}) {
        const KneserNey model(Owned(nothing).view(), 8, 2);
        CHECK_EQUAL(model.trigrams(), 0);
        const double sum = sums_of(model, {{3, 4}})[0];
        CHECK(std::abs(sum + 2 * std::log(8.0)) < 1e-12);
    }
}

}  // namespace
