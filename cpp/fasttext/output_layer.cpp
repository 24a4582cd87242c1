#include "fasttext/output_layer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "numeric/portable_exp.hpp"
#include "numeric/portable_log.hpp"

namespace dsir::fasttext {
namespace {

using numeric::portable_exp;
using numeric::portable_log;

/// What fastText adds to a probability before it takes the logarithm.
constexpr double kAdded = 1e-5;

constexpr int kSigmoids = 512;
constexpr float kLargestScore = 8;

double sigmoid(double x) {
    const double e = portable_exp(-std::abs(x));
    return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

/// log(sigmoid(x)), also where sigmoid(x) is almost 0.
double log_sigmoid(double x) {
    return std::min(x, 0.0) - portable_log(1 + portable_exp(-std::abs(x)));
}

/// What a walk from the root of the tree to a label adds up.
struct Walk {
    double log_reached = 0;  ///< log-probability of the label
    double others = 0;       ///< probability of leaving the path, at least 1e-300
};

/// Walks along the path of a label, and calls visit(step, score of its side) at every split.
template <class Visit>
Walk walk_to(const std::vector<LabelTree::Step>& path, const double* scores, Visit&& visit) {
    Walk walk;
    for (auto step = path.rbegin(); step != path.rend(); ++step) {
        const double right = scores[step->split];
        const double here = step->right ? right : -right;
        walk.others += portable_exp(walk.log_reached + log_sigmoid(-here));
        walk.log_reached += log_sigmoid(here);
        visit(*step, here);
    }
    walk.others = std::max(walk.others, 1e-300);
    return walk;
}

}  // namespace

OutputLayer::OutputLayer(Loss loss, std::span<const std::int64_t> label_counts)
    : loss_(loss),
      labels_(label_counts.size()),
      // Only the tree depends on the counts.
      tree_(label_counts.first(loss == Loss::hierarchical_softmax ? labels_ : 0)) {
    if (loss_ == Loss::negative_sampling) loss_ = Loss::one_vs_all;
    if (loss_ == Loss::one_vs_all) {
        for (int i = 0; i <= kSigmoids; ++i) {
            const double x = i * 2.0 * kLargestScore / kSigmoids - kLargestScore;
            sigmoids_.push_back(static_cast<float>(1 / (1 + portable_exp(-x))));
        }
    }
}

std::size_t OutputLayer::scores() const {
    return loss_ == Loss::one_vs_all ? labels_ : std::max<std::size_t>(labels_ - 1, 1);
}

/// Sets all[labels] to the scores of softmax less the score of the last label.
void OutputLayer::set_relative(const double* scores, std::vector<double>& all) const {
    all.assign(scores, scores + (labels_ - 1));
    all.push_back(0);
}

void OutputLayer::probabilities(const double* scores, std::vector<double>& scratch,
                                float* out) const {
    const std::size_t count = labels();
    if (loss_ == Loss::softmax) {
        set_relative(scores, scratch);
        const double most = *std::max_element(scratch.begin(), scratch.end());
        double sum = 0;
        for (double& value : scratch) sum += value = portable_exp(value - most);
        for (std::size_t l = 0; l < count; ++l) {
            out[l] = static_cast<float>(scratch[l] / sum + kAdded);
        }
    } else if (loss_ == Loss::one_vs_all) {
        for (std::size_t l = 0; l < count; ++l) {
            const auto score = static_cast<float>(scores[l]);
            double found = score > 0 ? 1.0 : 0.0;
            if (score >= -kLargestScore && score <= kLargestScore) {
                // In the order of fastText, for its rounding.
                const float place = (score + kLargestScore) * kSigmoids / kLargestScore / 2;
                found = double{sigmoids_[static_cast<std::size_t>(place)]};
            }
            out[l] = static_cast<float>(found + kAdded);
        }
    } else {
        scratch.assign(count + tree_.splits(), 1.0);
        // A node comes after its children, so this goes from the root to the labels.
        for (std::size_t split = tree_.splits(); split-- > 0;) {
            const double reached = scratch[count + split];
            const double right = sigmoid(scores[split]);
            const auto [left_child, right_child] = tree_.children(split);
            scratch[static_cast<std::size_t>(left_child)] = reached * (1 - right + kAdded);
            scratch[static_cast<std::size_t>(right_child)] = reached * (right + kAdded);
        }
        for (std::size_t l = 0; l < count; ++l) out[l] = static_cast<float>(scratch[l]);
    }
}

double OutputLayer::sensitivity(const float* probabilities) const {
    double most = 0;
    for (std::size_t l = 0; l < labels(); ++l) {
        const double p = std::clamp(double{probabilities[l]}, 0.0, 1.0);
        most = std::max(most, p * (1 - p));
    }
    return most;
}

bool OutputLayer::near_step(const double* scores, double error) const {
    if (loss_ != Loss::one_vs_all) return false;
    constexpr double kSteps = kSigmoids / (2.0 * kLargestScore);
    return std::any_of(scores, scores + labels(), [error](double score) {
        if (std::abs(score) > kLargestScore + error) return false;
        const double place = score * kSteps;
        return std::abs(place - std::round(place)) <= error * kSteps;
    });
}

double OutputLayer::log_odds(const double* scores, std::size_t label) const {
    if (loss_ == Loss::one_vs_all) return scores[label];
    if (loss_ == Loss::softmax) {
        std::vector<double> all;
        set_relative(scores, all);
        const double own = std::exchange(all[label], -INFINITY);
        const double most = *std::max_element(all.begin(), all.end());
        double sum = 0;
        for (const double score : all) sum += portable_exp(score - most);
        return own - most - portable_log(sum);
    }
    // The other labels have, together, the probability of leaving the path at any of its splits.
    const Walk walk = walk_to(tree_.path(label), scores, [](const auto&, double) {});
    return walk.log_reached - portable_log(walk.others);
}

void OutputLayer::gradient(const double* scores, std::size_t label, double* out) const {
    std::fill_n(out, this->scores(), 0.0);
    if (loss_ == Loss::one_vs_all) {
        out[label] = 1;
    } else if (loss_ == Loss::softmax) {
        // log_odds is own - log(sum of exp(others)): the derivatives are the shares of that sum.
        const double own = label < labels_ - 1 ? scores[label] : 0.0;
        const double others = own - log_odds(scores, label);
        for (std::size_t l = 0; l + 1 < labels_; ++l) {
            out[l] = l == label ? 1.0 : -portable_exp(scores[l] - others);
        }
    } else {
        const auto path = tree_.path(label);
        const Walk walk = walk_to(path, scores, [out](const auto& step, double here) {
            out[step.split] = (step.right ? 1 : -1) * sigmoid(-here);
        });
        for (const auto& step : path) out[step.split] /= walk.others;
    }
}

}  // namespace dsir::fasttext
