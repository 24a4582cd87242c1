#include "gais/exchanges/judged_exchanges.hpp"

#include <algorithm>
#include <utility>

#include "gais/exchanges/kept_rows.hpp"
#include "gais/exchanges/part_rows.hpp"
#include "numeric/mixed.hpp"

namespace dsir::gais::exchanges {
namespace {

/// The mean over the classes that count, 1 if there are none.
double mean(double sum, std::int64_t counted) {
    return counted > 0 ? sum / static_cast<double>(counted) : 1.0;
}

/// The metric of one judge; the definitions are those of scikit-learn.
double measured(std::span<const Tally> classes, ExchangeMetric metric) {
    double sum = 0;
    std::int64_t counted = 0;
    for (const Tally& one : classes) {
        const auto right = static_cast<double>(one.right);
        if (metric == ExchangeMetric::kAccuracy) {
            sum += right;
            counted += one.own;
        } else if (metric == ExchangeMetric::kBalancedAccuracy) {
            if (one.own == 0) continue;
            sum += right / static_cast<double>(one.own);
            ++counted;
        } else {
            if (one.own + one.given == 0) continue;
            sum += 2 * right / static_cast<double>(one.own + one.given);
            ++counted;
        }
    }
    return mean(sum, counted);
}

class Search {
  public:
    Search(const PartRows& rows, std::vector<std::int32_t> kept, const ExchangeSettings& settings)
        : rows_(rows), kept_(rows, std::move(kept)), settings_(settings) {}

    Exchanged run() {
        Exchanged found;
        double best = ask();
        found.tallies = {tallies_, tallies_};
        const auto slots = static_cast<std::int64_t>(kept_.kept().size());
        const std::int64_t tries = slots < rows_.rows() ? settings_.tries * slots : 0;
        for (std::int64_t tried = 0; tried < tries; ++tried) {
            const double left = 1 - static_cast<double>(tried) / static_cast<double>(tries);
            const auto many = static_cast<std::int32_t>(settings_.most_exchanged * left + 0.5);
            const double other = exchange(std::max(1, many)) ? ask() : best;
            if (other > best) {
                best = other;
                found.tallies[1] = tallies_;
                kept_.keep();
            } else {
                kept_.undo();
            }
        }
        found.kept = kept_.kept();
        return found;
    }

  private:
    /// The sum of the judges' metrics.
    double ask() {
        kept_.ask(tallies_);
        const auto classes = static_cast<std::size_t>(rows_.classes());
        double sum = 0;
        for (std::size_t judge = 0; judge < kJudges; ++judge) {
            sum += measured({tallies_.data() + judge * classes, classes}, settings_.metric);
        }
        return sum;
    }

    /// Exchanges some rows on trial; false if there is nothing to ask the judges about it.
    bool exchange(std::int32_t many) {
        bool exchanged = false;
        for (std::int32_t one = 0; one < many; ++one) {
            const auto slot = static_cast<std::int32_t>(below(kept_.kept().size()));
            const std::int32_t label = rows_.label(kept_.kept()[slot]);
            const auto rows = static_cast<std::uint64_t>(rows_.rows());
            const auto row = static_cast<std::int32_t>(below(rows));
            if (kept_.has(row)) continue;
            if (rows_.label(row) != label && kept_.of_class(label) == 1) continue;
            kept_.replace(slot, row);
            exchanged = true;
        }
        return exchanged;
    }

    std::uint64_t below(std::uint64_t end) {
        // The upper bits times the end: the bias is below 2^-32 for any number of rows here.
        return ((numeric::mixed(settings_.seed, drawn_++) >> 32) * end) >> 32;
    }

    const PartRows& rows_;
    KeptRows kept_;
    const ExchangeSettings& settings_;
    std::uint64_t drawn_ = 0;
    std::vector<Tally> tallies_;
};

}  // namespace

Exchanged judged_exchanges(const SparseRowsView& table, const std::int32_t* labels,
                           std::int32_t classes, std::span<const std::int32_t> members,
                           std::span<const std::int32_t> kept, const ExchangeSettings& settings) {
    const PartRows rows(table, members, labels, classes);
    std::vector<std::int32_t> numbers;
    for (const std::int32_t row : kept) {
        const auto place = std::lower_bound(members.begin(), members.end(), row);
        numbers.push_back(static_cast<std::int32_t>(place - members.begin()));
    }
    Exchanged found = Search(rows, std::move(numbers), settings).run();
    for (std::int32_t& row : found.kept) row = members[row];
    return found;
}

}  // namespace dsir::gais::exchanges
