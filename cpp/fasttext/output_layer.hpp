#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fasttext/label_tree.hpp"
#include "fasttext/settings.hpp"

namespace dsir::fasttext {

/// How the scores of a text become probabilities of labels.
///
/// A text has one score for each row of the output matrix that counts. With one_vs_all these are
/// the labels. With softmax only differences matter: the scores are those of all labels but the
/// last, less the score of the last. With hierarchical softmax there is one score for each split of
/// the tree. There is at least one score.
class OutputLayer {
  public:
    OutputLayer(Loss loss, std::span<const std::int64_t> label_counts);

    std::size_t labels() const { return labels_; }
    std::size_t scores() const;
    /// Whether the probability of a label does not depend on the other labels.
    bool independent() const { return loss_ == Loss::one_vs_all; }

    /// Fills out[labels] with the probabilities that fastText reports. It adds 0.00001 to each
    /// (with hierarchical softmax, to each factor) before it takes a logarithm. `scratch` is memory
    /// for this function.
    void probabilities(const double* scores, std::vector<double>& scratch, float* out) const;

    /// How much a probability may change with the scores: about the largest derivative.
    double sensitivity(const float* probabilities) const;

    /// Whether rounding errors of `error` in the scores may change a probability by more. Only
    /// one_vs_all takes its probabilities from a table with steps.
    bool near_step(const double* scores, double error) const;

    /// log(p / (1 - p)) of a label, without the addition. Needs two labels, but for one_vs_all.
    double log_odds(const double* scores, std::size_t label) const;
    /// Fills out[scores] with the derivatives of log_odds by each score.
    void gradient(const double* scores, std::size_t label, double* out) const;

    /// Whether scores are differences to the last label's score.
    bool relative() const { return loss_ == Loss::softmax && labels_ > 1; }

  private:
    void set_relative(const double* scores, std::vector<double>& all) const;

    Loss loss_;
    std::size_t labels_;
    LabelTree tree_;               ///< empty without hierarchical softmax
    std::vector<float> sigmoids_;  ///< empty without one_vs_all
};

}  // namespace dsir::fasttext
