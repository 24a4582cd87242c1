#include "classifier/platt.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "numeric/portable_exp.hpp"
#include "numeric/portable_log.hpp"

namespace dsir::classifier {
namespace {

using numeric::portable_exp;
using numeric::portable_log;

constexpr int kSteps = 100;
constexpr double kRidge = 1e-12;  // keeps the second derivatives above 0
constexpr double kSmallGradient = 1e-10;
constexpr double kSmallStep = 1e-10;
constexpr double kSufficient = 1e-4;  // of the descent that the gradient promises

/// The loss of a line over the scores, and its derivatives.
class Loss {
  public:
    /// `labels` are 0 to 1, and `shares` say how much each document counts.
    Loss(std::span<const double> scores, std::vector<double> labels, std::vector<double> shares)
        : scores_(scores), labels_(std::move(labels)), shares_(std::move(shares)) {}

    double of(const Line& line) const {
        double loss = 0;
        for (std::size_t i = 0; i < scores_.size(); ++i) {
            const double x = line.slope * scores_[i] + line.intercept;
            // log(1 + e^x) - label x, without overflow.
            const double size = std::min(std::abs(x), 700.0);
            const double one =
                (x > 0 ? x : 0) + portable_log(1 + portable_exp(-size)) - labels_[i] * x;
            loss += one * shares_[i];
        }
        return loss;
    }

    struct Derivatives {
        double slope = 0, intercept = 0;
        double slope_slope = kRidge, slope_intercept = 0, intercept_intercept = kRidge;
    };

    Derivatives at(const Line& line) const {
        Derivatives d;
        for (std::size_t i = 0; i < scores_.size(); ++i) {
            const double x = line.slope * scores_[i] + line.intercept;
            const double p = 1 / (1 + portable_exp(-std::clamp(x, -700.0, 700.0)));
            const double off = (p - labels_[i]) * shares_[i];
            const double curve = p * (1 - p) * shares_[i];
            d.slope += off * scores_[i];
            d.intercept += off;
            d.slope_slope += curve * scores_[i] * scores_[i];
            d.slope_intercept += curve * scores_[i];
            d.intercept_intercept += curve;
        }
        return d;
    }

  private:
    std::span<const double> scores_;
    std::vector<double> labels_;
    std::vector<double> shares_;
};

Line line_of_least(const Loss& loss) {
    Line line;
    double least = loss.of(line);
    for (int round = 0; round < kSteps; ++round) {
        const Loss::Derivatives d = loss.at(line);
        if (std::abs(d.slope) < kSmallGradient && std::abs(d.intercept) < kSmallGradient) break;
        const double determinant =
            d.slope_slope * d.intercept_intercept - d.slope_intercept * d.slope_intercept;
        if (!(determinant > 0)) break;
        // A step of Newton's method, shortened until it helps.
        const double slope =
            -(d.intercept_intercept * d.slope - d.slope_intercept * d.intercept) / determinant;
        const double intercept =
            -(d.slope_slope * d.intercept - d.slope_intercept * d.slope) / determinant;
        const double descent = d.slope * slope + d.intercept * intercept;
        bool better = false;
        for (double part = 1; part > kSmallStep && !better; part /= 2) {
            const Line tried{line.slope + part * slope, line.intercept + part * intercept};
            const double found = loss.of(tried);
            if (found < least + kSufficient * part * descent) {
                line = tried;
                least = found;
                better = true;
            }
        }
        if (!better) break;
    }
    return line;
}

}  // namespace

Line platt(std::span<const double> scores, std::span<const std::uint8_t> wanted) {
    double yes = 0;
    for (const std::uint8_t one : wanted) yes += one != 0 ? 1 : 0;
    const double no = static_cast<double>(wanted.size()) - yes;
    std::vector<double> labels;
    std::vector<double> shares;
    for (const std::uint8_t one : wanted) {
        labels.push_back(one != 0 ? (yes + 1) / (yes + 2) : 1 / (no + 2));
        shares.push_back(1 / (one != 0 ? yes : no));
    }
    return line_of_least(Loss(scores, std::move(labels), std::move(shares)));
}

Line platt_graded(std::span<const double> scores, std::span<const double> grades) {
    const auto size = static_cast<double>(grades.size());
    std::vector<double> labels;
    for (const double grade : grades) labels.push_back((grade * size + 1) / (size + 2));
    std::vector<double> shares(grades.size(), 1 / size);
    return line_of_least(Loss(scores, std::move(labels), std::move(shares)));
}

}  // namespace dsir::classifier
