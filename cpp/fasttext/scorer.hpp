#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arrow/text_column.hpp"
#include "fasttext/dictionary.hpp"
#include "fasttext/line.hpp"
#include "fasttext/output_layer.hpp"
#include "fasttext/tables.hpp"

namespace dsir::fasttext {

/// The scores of texts, added up in double precision.
class Scorer {
  public:
    /// Throws std::invalid_argument if the tables do not fit the dictionary.
    Scorer(Dictionary dictionary, Tables tables);
    Scorer(const Scorer&) = delete;

    const Dictionary& dictionary() const { return dictionary_; }
    const OutputLayer& layer() const { return layer_; }
    const Tables& tables() const { return tables_; }

    /// Memory that a thread uses again for each text.
    struct Scratch {
        explicit Scratch(const Scorer& scorer);
        Line line;
        std::vector<double> sums;
        std::vector<double> scores;  ///< what `score` found
        std::vector<std::uint32_t> counters;
    };
    struct Found {
        std::size_t features = 0;  ///< how many features of the model the text has
        /// About the root of the sum of squares of how often each feature occurs. The rounding
        /// errors of sums in single precision grow with it.
        double repeats = 0;
    };

    /// Sets scratch.scores to the scores of a text; zeros if it has no features.
    Found score(std::string_view text, Scratch& scratch) const;

    /// Fills log_odds[rows] of a label; 0 for rows that are null, or longer than a document may
    /// be. The result does not depend on `threads`. Throws std::invalid_argument if the log-odds
    /// would be infinite, because the model has one label and is not one_vs_all.
    void log_odds(const arrow::TextColumn& column, std::size_t label, unsigned threads,
                  double* log_odds) const;

    /// A feature of a text, and its part in the text's log-odds.
    struct Contribution {
        std::string name;
        std::size_t row;
        double contribution;
    };
    /// The features of a text in their order. The contributions add up to the log-odds. For two
    /// labels and for one_vs_all they are what each feature adds. Otherwise a feature has what the
    /// derivatives of the log-odds give it, and an equal share of the rest.
    std::vector<Contribution> explain(std::string_view text, std::size_t label) const;

  private:
    template <class Sums>
    Found add_up(std::string_view text, Sums sums, Scratch& scratch) const;
    const char* row_of(std::size_t row) const {
        return tables_.entries() + row * tables_.width * sizeof(float);
    }
    void set_word_sums();
    void set_scores(std::size_t features, Scratch& scratch) const;
    void check_label(std::size_t label) const;

    Dictionary dictionary_;
    OutputLayer layer_;
    Tables tables_;
    /// With subwords: for every word the sum over its row and its subwords, and how many they are.
    std::vector<float> word_sums_;
    std::vector<std::uint32_t> word_features_;
};

}  // namespace dsir::fasttext
