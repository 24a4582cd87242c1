#include "gais/exchanges/naive_bayes.hpp"

#include <cmath>
#include <limits>

#include "numeric/portable_log.hpp"

namespace dsir::gais::exchanges {
namespace {

constexpr double kSmoothing = 0.1;
constexpr double kUnit = 0x1p-24;

std::int64_t units(double value) {
    return std::llround(value / kUnit);
}

/// log((sum + a) / a), 0 for a word that the class does not have.
double part_of_score(std::int64_t sum) {
    return numeric::portable_log(static_cast<double>(sum) * (kUnit / kSmoothing) + 1);
}

}  // namespace

NaiveBayes::NaiveBayes(const PartRows& rows)
    : rows_(rows),
      counts_(static_cast<std::size_t>(rows.columns())),
      totals_(static_cast<std::size_t>(rows.classes()), 0),
      kept_(static_cast<std::size_t>(rows.classes()), 0),
      scores_(static_cast<std::size_t>(rows.classes()) * rows.rows(), 0.0),
      kept_scores_(scores_) {}

NaiveBayes::Count& NaiveBayes::count(std::int32_t column, std::int32_t label) {
    auto& counts = counts_[column];
    for (Count& one : counts) {
        if (one.label == label) return one;
    }
    return counts.emplace_back(Count{label, 0, 0});
}

void NaiveBayes::apply(std::int32_t row, int sign) {
    const std::int32_t label = rows_.label(row);
    kept_[label] += sign;
    totals_[label] += sign * units(rows_.sum(row));
    for (const Entry& entry : rows_.row(row)) {
        count(entry.other, label).sum += sign * units(entry.value);
    }
}

void NaiveBayes::change(std::int32_t row, int sign) {
    apply(row, sign);
    changes_.push_back({row, sign});
    for (const Entry& entry : rows_.row(row))
        touched_.push_back({entry.other, rows_.label(row), 0});
}

void NaiveBayes::follow() {
    for (const Place& place : touched_) {
        Count& own = count(place.column, place.label);
        if (own.sum == own.scored) continue;
        const auto more = part_of_score(own.sum) - part_of_score(own.scored);
        double* const scores = this->scores(place.label);
        for (const Entry& entry : rows_.column(place.column)) {
            scores[entry.other] += entry.value * more;
        }
        followed_.push_back({place.column, place.label, own.scored});
        own.scored = own.sum;
    }
    touched_.clear();
}

void NaiveBayes::keep() {
    kept_scores_ = scores_;
    changes_.clear();
    followed_.clear();
}

void NaiveBayes::undo() {
    for (const Change& change : changes_) apply(change.row, -change.sign);
    for (auto place = followed_.rbegin(); place != followed_.rend(); ++place) {
        count(place->column, place->label).scored = place->scored;
    }
    scores_ = kept_scores_;
    changes_.clear();
    followed_.clear();
    touched_.clear();
}

void NaiveBayes::guess(std::int32_t begin, std::int32_t end, std::int32_t* out) const {
    std::vector<double> best(static_cast<std::size_t>(end - begin),
                             -std::numeric_limits<double>::infinity());
    double all = 0;
    for (const std::int64_t own : kept_) all += static_cast<double>(own);
    for (std::int32_t label = 0; label < rows_.classes(); ++label) {
        if (kept_[label] == 0) continue;
        const double prior = numeric::portable_log(static_cast<double>(kept_[label]) / all);
        const double of_each =
            numeric::portable_log(static_cast<double>(totals_[label]) * (kUnit / kSmoothing) +
                                  static_cast<double>(rows_.width()));
        const double* const scores =
            scores_.data() + static_cast<std::size_t>(label) * rows_.rows();
        for (std::int32_t row = begin; row < end; ++row) {
            const double score = prior + (scores[row] - rows_.sum(row) * of_each);
            if (score > best[row - begin]) {
                best[row - begin] = score;
                out[row - begin] = label;
            }
        }
    }
}

}  // namespace dsir::gais::exchanges
