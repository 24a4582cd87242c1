#include "fasttext/classifier.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "parallel/for_ranges.hpp"
#include "text/lower.hpp"

namespace dsir::fasttext {
namespace {

/// How much fastText's rounding may change a probability before a text is scored as it does.
constexpr double kTolerance = 4e-6;

/// The error of a sum in single precision is a uniform fraction of half a unit in the last place
/// each time that a feature is added, and the same fraction each time for one feature. Four
/// standard deviations, relative to the sum.
constexpr double kRounding = 4 * 0x1p-23 / 3.4641;

/// Takes the dictionary from the file.
Scorer scorer_of(ModelFile& file, std::size_t file_bytes) {
    const OutputLayer layer(file.settings.loss, file.dictionary.label_counts);
    Tables tables = make_tables(file.input, file.output, layer, file_bytes);
    return {Dictionary(file.settings, std::move(file.dictionary)), std::move(tables)};
}

/// The size of the products that a score is the sum of: the root of their sum of squares, for rows
/// of the input and the outputs where it is greatest.
double product_size(const Matrix& input, const Matrix& output) {
    constexpr std::size_t kSample = 4096;
    const std::size_t dim = input.columns();
    const std::vector<float> weights = output.copied();
    std::vector<double> squares(dim);
    for (std::size_t o = 0; o < output.rows(); ++o) {
        for (std::size_t c = 0; c < dim; ++c) {
            const double weight = double{weights[o * dim + c]};
            squares[c] = std::max(squares[c], weight * weight);
        }
    }
    const std::size_t step = std::max<std::size_t>(input.rows() / kSample, 1);
    std::vector<float> row(dim);
    double sum = 0;
    std::size_t rows = 0;
    for (std::size_t r = 0; r < input.rows(); r += step, ++rows) {
        input.copy_row(r, row.data());
        for (std::size_t c = 0; c < dim; ++c) sum += squares[c] * double{row[c]} * double{row[c]};
    }
    return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(rows, 1)));
}

}  // namespace

struct Classifier::Scratch {
    explicit Scratch(const Classifier& classifier)
        : scorer(classifier.scorer_), hidden(classifier.file_.input.columns()) {}
    Scorer::Scratch scorer;
    std::vector<float> hidden;
    std::vector<double> work;
};

Classifier::Classifier(std::string_view bytes)
    : file_(read_model(bytes)),
      scorer_(scorer_of(file_, bytes.size())),
      product_size_(product_size(file_.input, file_.output)) {}

void Classifier::probabilities(const arrow::TextColumn& column, unsigned threads,
                               float* probabilities, text::RowStatus* status) const {
    const std::size_t labels = scorer_.layer().labels();
    std::vector<std::unique_ptr<Scratch>> scratches(threads);
    parallel::for_ranges(
        column.size(), threads, [&](unsigned thread, std::int64_t begin, std::int64_t end) {
            if (!scratches[thread]) scratches[thread] = std::make_unique<Scratch>(*this);
            for (std::int64_t row = begin; row < end; ++row) {
                float* const out = probabilities + static_cast<std::size_t>(row) * labels;
                std::fill_n(out, labels, 0.0F);
                const auto text = column[row];
                status[row] = text::RowStatus::text;
                if (!text) {
                    status[row] = text::RowStatus::null;
                } else if (text->size() > text::kLargestDocument) {
                    status[row] = text::RowStatus::too_long;
                } else if (!text::is_utf8(*text)) {
                    status[row] = text::RowStatus::invalid_utf8;
                } else {
                    score_text(*text, *scratches[thread], out);
                }
            }
        });
}

void Classifier::score_text(std::string_view text, Scratch& scratch, float* probabilities) const {
    const Scorer::Found found = scorer_.score(text, scratch.scorer);
    if (found.features == 0) return;
    const OutputLayer& layer = scorer_.layer();
    std::vector<double>& scores = scratch.scorer.scores;
    layer.probabilities(scores.data(), scratch.work, probabilities);
    double largest = 0;
    for (const double score : scores) largest = std::max(largest, std::abs(score));
    // The errors of the columns are independent.
    const double size = largest / std::sqrt(static_cast<double>(scratch.hidden.size()));
    const double error = kRounding * found.repeats * std::max(size, product_size_);
    const bool shows = error * layer.sensitivity(probabilities) > kTolerance ||
                       layer.near_step(scores.data(), error + 1e-6 * (1 + largest));
    if (shows && as_fasttext(text, found.features, scratch)) {
        layer.probabilities(scores.data(), scratch.work, probabilities);
    }
}

/// Sets the scores as fastText computes them; false, and no scores, if they are not finite.
bool Classifier::as_fasttext(std::string_view text, std::size_t features, Scratch& scratch) const {
    struct Sink {
        const Dictionary& dictionary;
        const Matrix& input;
        std::vector<float>& hidden;
        std::string enclosed{};

        void row(std::size_t row) { input.add_row(row, hidden.data()); }
        void token(std::string_view) {}
        void word(std::size_t id) {
            row(id);
            const std::string_view word = dictionary.word(id);
            if (!dictionary.settings().has_subwords() || word == kEndOfLine) return;
            enclose(word, enclosed);
            dictionary.visit_subwords(enclosed,
                                      [this](std::size_t at, std::string_view) { row(at); });
        }
        void subword(std::size_t at, std::string_view) { row(at); }
        void ngram(std::size_t at, std::size_t, std::size_t) { row(at); }
    };
    std::vector<float>& hidden = scratch.hidden;
    std::fill(hidden.begin(), hidden.end(), 0.0F);
    scratch.scorer.line.visit(text, Sink{scorer_.dictionary(), file_.input, hidden});
    const auto share = static_cast<float>(1.0 / static_cast<double>(features));
    for (float& value : hidden) value *= share;
    const OutputLayer& layer = scorer_.layer();
    const auto product = [&](std::size_t o) {
        return double{file_.output.dot_row(o, hidden.data())};
    };
    const double last = layer.relative() ? product(layer.labels() - 1) : 0.0;
    std::vector<double> found(layer.scores());
    for (std::size_t o = 0; o < found.size(); ++o) {
        found[o] = product(o) - last;
        if (!std::isfinite(found[o])) return false;
    }
    scratch.scorer.scores = std::move(found);
    return true;
}

}  // namespace dsir::fasttext
