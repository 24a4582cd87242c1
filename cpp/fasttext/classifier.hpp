#pragma once

#include <cstdint>
#include <string_view>

#include "arrow/text_column.hpp"
#include "fasttext/model_file.hpp"
#include "fasttext/scorer.hpp"
#include "text/row_status.hpp"

namespace dsir::fasttext {

/// A model file, and the probabilities that fastText reports for texts.
///
/// Scores come from folded tables, in double precision. FastText adds up rows in single precision.
/// Where its rounding may show (one feature thousands of times; a one_vs_all score at a step of the
/// table of sigmoids), the text is scored again as fastText does it.
class Classifier {
  public:
    /// The bytes must outlive the object. Throws std::invalid_argument as read_model does.
    explicit Classifier(std::string_view bytes);

    const Scorer& scorer() const { return scorer_; }

    /// Fills probabilities[rows, labels] and status[rows]. A row that is null, not text, or without
    /// a feature of the model has zeros. The result does not depend on `threads`.
    void probabilities(const arrow::TextColumn& column, unsigned threads, float* probabilities,
                       text::RowStatus* status) const;

  private:
    struct Scratch;
    void score_text(std::string_view text, Scratch& scratch, float* probabilities) const;
    bool as_fasttext(std::string_view text, std::size_t features, Scratch& scratch) const;

    ModelFile file_;
    Scorer scorer_;
    double product_size_;  ///< of what the scores of typical rows are sums of
};

}  // namespace dsir::fasttext
