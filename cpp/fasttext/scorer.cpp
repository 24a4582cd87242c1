#include "fasttext/scorer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <utility>

#include "parallel/for_ranges.hpp"
#include "text/row_status.hpp"

namespace dsir::fasttext {
namespace {

constexpr std::size_t kCounters = 1024;

void require(bool condition, const char* message) {
    if (!condition) throw std::invalid_argument(message);
}

/// Sums of rows whose number of entries the compiler knows, so that they stay in registers.
template <std::size_t kWidth>
class FixedSums {
  public:
    void add(const char* entries) {
        for (std::size_t w = 0; w < kWidth; ++w) sums_[w] += double{float_at(entries, w)};
    }
    void write(double* out) const { std::copy(sums_.begin(), sums_.end(), out); }

  private:
    std::array<double, kWidth> sums_{};
};

/// Sums of rows with any number of entries.
class AnySums {
  public:
    explicit AnySums(std::vector<double>& sums) : sums_(sums) {
        std::fill(sums_.begin(), sums_.end(), 0.0);
    }
    void add(const char* entries) {
        for (std::size_t w = 0; w < sums_.size(); ++w) sums_[w] += double{float_at(entries, w)};
    }
    void write(double*) const {}

  private:
    std::vector<double>& sums_;
};

}  // namespace

Scorer::Scorer(Dictionary dictionary, Tables tables)
    : dictionary_(std::move(dictionary)),
      layer_(dictionary_.settings().loss, dictionary_.content().label_counts),
      tables_(std::move(tables)) {
    require(tables_.rows >= dictionary_.rows(), "its input matrix has too few rows");
    require(tables_.folded() ? tables_.width == layer_.scores()
                             : tables_.output.size() == layer_.scores() * tables_.width,
            "its tables do not fit its labels");
    if (dictionary_.settings().has_subwords()) set_word_sums();
}

void Scorer::set_word_sums() {
    const std::size_t words = dictionary_.words();
    const std::size_t width = tables_.width;
    word_sums_.resize(words * width);
    word_features_.resize(words);
    std::vector<double> memory(width);
    std::string enclosed;
    for (std::size_t id = 0; id < words; ++id) {
        AnySums sums(memory);
        sums.add(row_of(id));
        word_features_[id] = 1;
        if (dictionary_.word(id) != kEndOfLine) {
            enclose(dictionary_.word(id), enclosed);
            dictionary_.visit_subwords(enclosed, [&](std::size_t row, std::string_view) {
                sums.add(row_of(row));
                ++word_features_[id];
            });
        }
        for (std::size_t w = 0; w < width; ++w) {
            const auto sum = static_cast<float>(memory[w]);
            require(std::isfinite(sum), "its numbers are too large to add up");
            word_sums_[id * width + w] = sum;
        }
    }
}

Scorer::Scratch::Scratch(const Scorer& scorer)
    : line(scorer.dictionary_),
      sums(scorer.tables_.width),
      scores(scorer.layer_.scores()),
      counters(kCounters) {}

template <class Sums>
Scorer::Found Scorer::add_up(std::string_view text, Sums sums, Scratch& scratch) const {
    // Rows lie all over the table, so they are fetched a block ahead of their sums.
    struct Sink {
        const char* const entries;
        const char* const word_sums;
        const std::uint32_t* const word_features;
        const std::size_t row_bytes;
        std::uint32_t* const counters;
        Sums& sums;
        std::size_t features = 0;
        std::size_t counted = 0;
        std::array<const char*, 64> fetched{};

        void add(const char* row, std::size_t number) {
            __builtin_prefetch(row);
            ++counters[number % kCounters];
            fetched[counted++ % fetched.size()] = row;
            if (counted % fetched.size() == 0) {
                for (const char* const one : fetched) sums.add(one);
            }
        }
        void finish() {
            for (std::size_t k = 0; k < counted % fetched.size(); ++k) sums.add(fetched[k]);
        }
        void token(std::string_view) {}
        void word(std::size_t id) {
            features += word_features == nullptr ? 1 : word_features[id];
            add(word_sums + id * row_bytes, id);
        }
        void subword(std::size_t row, std::string_view) {
            ++features;
            add(entries + row * row_bytes, row);
        }
        void ngram(std::size_t row, std::size_t, std::size_t) { subword(row, {}); }
    };
    const bool by_word = !word_features_.empty();
    std::fill(scratch.counters.begin(), scratch.counters.end(), 0U);
    Sink sink{tables_.entries(),
              by_word ? reinterpret_cast<const char*>(word_sums_.data()) : tables_.entries(),
              by_word ? word_features_.data() : nullptr,
              tables_.width * sizeof(float),
              scratch.counters.data(),
              sums};
    scratch.line.visit(text, sink);
    sink.finish();
    sums.write(scratch.sums.data());
    if (sink.features == 0) return {};
    double squares = 0;
    for (const double count : scratch.counters) squares += count * count;
    // A word stands for several features, which occur as often as the word.
    const double each = static_cast<double>(sink.features) / static_cast<double>(sink.counted);
    return {sink.features, std::sqrt(squares * each)};
}

Scorer::Found Scorer::score(std::string_view text, Scratch& scratch) const {
    const auto found = [&] {
        switch (tables_.width) {
            case 1:
                return add_up(text, FixedSums<1>(), scratch);
            case 2:
                return add_up(text, FixedSums<2>(), scratch);
            case 3:
                return add_up(text, FixedSums<3>(), scratch);
            case 4:
                return add_up(text, FixedSums<4>(), scratch);
            default:
                return add_up(text, AnySums(scratch.sums), scratch);
        }
    }();
    set_scores(found.features, scratch);
    return found;
}

void Scorer::set_scores(std::size_t features, Scratch& scratch) const {
    const std::size_t width = tables_.width;
    const double share = features == 0 ? 0.0 : 1.0 / static_cast<double>(features);
    for (std::size_t w = 0; w < width; ++w) scratch.sums[w] *= share;
    if (tables_.folded()) {
        std::copy(scratch.sums.begin(), scratch.sums.end(), scratch.scores.begin());
        return;
    }
    for (std::size_t o = 0; o < scratch.scores.size(); ++o) {
        const float* const weights = tables_.output.data() + o * width;
        double sum = 0;
        for (std::size_t w = 0; w < width; ++w) sum += double{weights[w]} * scratch.sums[w];
        scratch.scores[o] = sum;
    }
}

void Scorer::check_label(std::size_t label) const {
    require(label < layer_.labels(), "there is no such label");
    require(layer_.labels() > 1 || layer_.independent(),
            "it has one label, which is always certain");
}

void Scorer::log_odds(const arrow::TextColumn& column, std::size_t label, unsigned threads,
                      double* log_odds) const {
    check_label(label);
    std::vector<std::unique_ptr<Scratch>> scratches(threads);
    parallel::for_ranges(column.size(), threads,
                         [&](unsigned thread, std::int64_t begin, std::int64_t end) {
                             if (!scratches[thread])
                                 scratches[thread] = std::make_unique<Scratch>(*this);
                             Scratch& scratch = *scratches[thread];
                             for (std::int64_t row = begin; row < end; ++row) {
                                 const auto text = column[row];
                                 log_odds[row] = 0;
                                 if (!text || text->size() > text::kLargestDocument) continue;
                                 score(*text, scratch);
                                 log_odds[row] = layer_.log_odds(scratch.scores.data(), label);
                             }
                         });
}

std::vector<Scorer::Contribution> Scorer::explain(std::string_view text, std::size_t label) const {
    check_label(label);
    Scratch scratch(*this);
    const Found found = score(text, scratch);
    std::vector<double> slope(layer_.scores());
    layer_.gradient(scratch.scores.data(), label, slope.data());
    double linear = 0;
    for (std::size_t o = 0; o < slope.size(); ++o) linear += slope[o] * scratch.scores[o];
    const double rest = layer_.log_odds(scratch.scores.data(), label) - linear;

    struct Sink {
        const Dictionary& dictionary;
        std::vector<std::string_view> tokens{};
        std::vector<Contribution> features{};

        void add(std::string_view name, std::size_t row) {
            features.push_back({std::string(name), row, 0});
        }
        void word(std::size_t id) {
            const std::string_view word = dictionary.word(id);
            add(word, id);
            if (!dictionary.settings().has_subwords() || word == kEndOfLine) return;
            std::string enclosed;
            enclose(word, enclosed);
            dictionary.visit_subwords(
                enclosed, [this](std::size_t row, std::string_view name) { add(name, row); });
        }
        void subword(std::size_t row, std::string_view name) { add(name, row); }
        void ngram(std::size_t row, std::size_t first, std::size_t length) {
            std::string name(tokens[first]);
            for (std::size_t k = 1; k < length; ++k) name.append(" ").append(tokens[first + k]);
            add(name, row);
        }
        void token(std::string_view token) { tokens.push_back(token); }
    };
    Sink sink{dictionary_};
    scratch.line.visit(text, sink);
    const double share = 1.0 / static_cast<double>(std::max<std::size_t>(found.features, 1));
    std::vector<double> entries(tables_.width);
    for (Contribution& feature : sink.features) {
        AnySums sums(entries);
        sums.add(row_of(feature.row));
        double total = rest;
        for (std::size_t o = 0; o < slope.size(); ++o) {
            double entry = tables_.folded() ? entries[o] : 0.0;
            for (std::size_t w = 0; !tables_.folded() && w < tables_.width; ++w) {
                entry += double{tables_.output[o * tables_.width + w]} * entries[w];
            }
            total += slope[o] * entry;
        }
        feature.contribution = total * share;
    }
    return sink.features;
}

}  // namespace dsir::fasttext
