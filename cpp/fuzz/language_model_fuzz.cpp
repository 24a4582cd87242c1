// Kneser-Ney models of trigrams: every probability is the one of the definition, over maps of all
// n-grams. Sums depend neither on threads nor on how documents are cut.

#include "language_model/kneser_ney.hpp"

#include <cmath>
#include <map>
#include <vector>

#include "fuzz_input.hpp"

namespace {

using namespace dsir;
using language_model::KneserNey;

using Text = std::vector<std::uint32_t>;

/// Documents from bytes: FE ends one, every other byte is a token.
std::vector<Text> texts_in(std::string_view bytes, std::uint32_t apart) {
    std::vector<Text> texts;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        if (at == 0 || bytes[at - 1] == '\xFE') texts.emplace_back();
        if (bytes[at] == '\xFE') continue;
        texts.back().push_back(apart * static_cast<std::uint8_t>(bytes[at]));
    }
    return texts;
}

/// Documents in memory of exactly their size.
struct Owned {
    explicit Owned(const std::vector<Text>& texts) {
        std::size_t size = 0;
        for (const Text& text : texts) size += text.size();
        tokens.reserve(size);
        offsets.reserve(texts.size() + 1);
        offsets.push_back(0);
        for (const Text& text : texts) {
            tokens.insert(tokens.end(), text.begin(), text.end());
            offsets.push_back(static_cast<std::int64_t>(tokens.size()));
        }
    }
    language_model::Documents view() const { return {offsets, tokens}; }

    std::vector<std::int64_t> offsets;
    std::vector<std::uint32_t> tokens;
};

using Ngram = std::vector<std::int64_t>;  // the beginning is -1

/// The counts of one order: of n-grams by their context, which is all but the last token.
struct Order {
    std::map<Ngram, std::map<std::int64_t, double>> after;

    double discount() const {
        double once = 0;
        double twice = 0;
        for (const auto& [context, counts] : after) {
            for (const auto& [token, count] : counts) {
                once += count == 1;
                twice += count == 2;
            }
        }
        return once > 0 && twice > 0 ? once / (once + 2 * twice) : 0.5;
    }
};

class Definition {
  public:
    Definition(const std::vector<Text>& texts, double vocabulary) : vocabulary_(vocabulary) {
        for (const Text& text : texts) {
            Ngram context = {-1, -1};
            for (const std::uint32_t token : text) {
                orders_[2].after[context][token] += 1;
                context = {context[1], token};
            }
        }
        for (std::size_t order = 2; order > 0; --order) {
            for (const auto& [context, counts] : orders_[order].after) {
                const Ngram shorter(context.begin() + 1, context.end());
                for (const auto& [token, count] : counts) {
                    orders_[order - 1].after[shorter][token] += 1;
                }
            }
        }
        for (std::size_t order = 0; order < 3; ++order)
            discounts_[order] = orders_[order].discount();
    }

    double operator()(const Text& text) const {
        double sum = 0;
        Ngram context = {-1, -1};
        for (const std::uint32_t token : text) {
            double p = 1 / vocabulary_;
            for (std::size_t order = 0; order < 3; ++order) {
                const Ngram own(context.end() - static_cast<std::ptrdiff_t>(order), context.end());
                const auto found = orders_[order].after.find(own);
                if (found == orders_[order].after.end()) continue;
                double total = 0;
                for (const auto& [one, count] : found->second) total += count;
                const auto at = found->second.find(token);
                const double count = at == found->second.end() ? 0 : at->second;
                const double d = discounts_[order];
                p = (std::max(count - d, 0.0) + d * static_cast<double>(found->second.size()) * p) /
                    total;
            }
            sum += std::log(p);
            context = {context[1], token};
        }
        return sum;
    }

    /// How many trigrams without a mark there are, and how many different ones.
    std::pair<std::int64_t, std::int64_t> trigrams() const {
        std::pair<std::int64_t, std::int64_t> all{0, 0};
        for (const auto& [context, counts] : orders_[2].after) {
            if (context[0] < 0) continue;
            for (const auto& [token, count] : counts) {
                all.first += static_cast<std::int64_t>(count);
                ++all.second;
            }
        }
        return all;
    }

  private:
    double vocabulary_;
    Order orders_[3];
    double discounts_[3];
};

std::vector<double> sums_of(const KneserNey& model, const Owned& documents, unsigned threads) {
    std::vector<double> sums(documents.offsets.size() - 1);
    model.log_probabilities(documents.view(), threads, sums.data());
    return sums;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::uint32_t kApart[] = {1, 7, 64, 331, 4099};
    fuzz::Input input(data, size);
    const std::uint32_t apart = kApart[input.below(5)];
    const double vocabulary = 1 + input.byte();
    const std::size_t trained = input.byte();
    const unsigned threads = 1 + static_cast<unsigned>(input.below(16) == 0);
    const std::vector<Text> texts = texts_in(input.rest().substr(0, 400), apart);
    const auto middle =
        texts.begin() + static_cast<std::ptrdiff_t>(std::min(trained, texts.size()));
    const std::vector<Text> known(texts.begin(), middle);

    const Owned training(known);
    const KneserNey model(training.view(), vocabulary, threads);
    const Definition definition(known, vocabulary);
    HOLDS(std::pair(model.trigrams(), model.distinct_trigrams()) == definition.trigrams());
    const std::vector<double> sums = sums_of(model, Owned(texts), threads);
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const double expected = definition(texts[i]);
        HOLDS(std::abs(sums[i] - expected) <= 1e-9 * (1 + std::abs(expected)));
        HOLDS(sums_of(model, Owned({texts[i]}), 1)[0] == sums[i]);
    }
    if (threads > 1) {
        HOLDS(sums_of(KneserNey(training.view(), vocabulary, 1), Owned(texts), 1) == sums);
    }
    return 0;
}
