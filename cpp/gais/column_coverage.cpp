#include "gais/column_coverage.hpp"

#include <cmath>
#include <queue>

#include "numeric/portable_log.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::gais {
namespace {

struct Bound {
    double gain;
    std::int32_t priority;
    std::int32_t row;
    std::int64_t round;  ///< in which the gain was computed

    bool operator<(const Bound& other) const {
        return gain != other.gain ? gain < other.gain : priority > other.priority;
    }
};

/// A class's columns: what they weigh, and what the next row with one of them gains by it.
class ClassColumns {
  public:
    ClassColumns(const ColumnListsView& lists, const std::vector<std::int32_t>& members,
                 const std::vector<std::int64_t>& rows_with)
        : lists_(lists),
          weight_(static_cast<std::size_t>(lists.width), 0.0),
          chosen_(static_cast<std::size_t>(lists.width), 0.0) {
        for (const std::int32_t row : members) each(row, [&](auto column) { ++weight_[column]; });
        const auto inside = static_cast<double>(members.size());
        const double outside = static_cast<double>(lists.rows) - inside;
        for (std::size_t column = 0; column < weight_.size(); ++column) {
            const double own = weight_[column];
            const auto all = static_cast<double>(rows_with[column]);
            const double likelier =
                (own + 0.5) / (inside + 1) / ((all - own + 0.5) / (outside + 1));
            const bool tells = own > 0 && all > 1 && likelier > 1;
            weight_[column] = tells ? own * numeric::portable_log(likelier) : 0.0;
        }
        next_ = weight_;
    }

    double gain(std::int32_t row) const {
        const auto length = static_cast<double>(lists_.offsets[row + 1] - lists_.offsets[row]);
        if (length == 0) return 0;
        double sum = 0;
        each(row, [&](auto column) { sum += next_[column]; });
        const double root = std::sqrt(length);
        return sum / (root * std::sqrt(root));
    }

    void choose(std::int32_t row) {
        each(row, [&](auto column) {
            const double times = ++chosen_[column] + 1;
            next_[column] = weight_[column] / (times * times);
        });
    }

  private:
    template <class Body>
    void each(std::int32_t row, Body&& body) const {
        for (std::int64_t k = lists_.offsets[row]; k < lists_.offsets[row + 1]; ++k) {
            body(static_cast<std::size_t>(lists_.columns[k]));
        }
    }

    const ColumnListsView& lists_;
    std::vector<double> weight_;
    std::vector<double> chosen_;
    std::vector<double> next_;
};

std::vector<std::int32_t> rows_of_class(const ColumnListsView& lists,
                                        const std::vector<std::int32_t>& members,
                                        const std::vector<std::int64_t>& rows_with,
                                        const std::int32_t* priority, std::int64_t wanted) {
    ClassColumns columns(lists, members, rows_with);
    std::priority_queue<Bound> bounds;
    for (const std::int32_t row : members) bounds.push({columns.gain(row), priority[row], row, 0});
    std::vector<std::int32_t> chosen;
    while (!bounds.empty() && static_cast<std::int64_t>(chosen.size()) < wanted) {
        Bound top = bounds.top();
        bounds.pop();
        const auto round = static_cast<std::int64_t>(chosen.size());
        if (top.round != round) {  // Gains only fall, so an old gain is an upper bound.
            top.gain = columns.gain(top.row);
            top.round = round;
            bounds.push(top);
            continue;
        }
        chosen.push_back(top.row);
        columns.choose(top.row);
    }
    return chosen;
}

}  // namespace

std::vector<std::int32_t> column_coverage(const ColumnListsView& lists, const std::int32_t* labels,
                                          const std::int32_t* priority,
                                          const std::vector<std::int64_t>& wanted,
                                          unsigned threads) {
    std::vector<std::int64_t> rows_with(static_cast<std::size_t>(lists.width), 0);
    for (std::int64_t k = 0; k < lists.offsets[lists.rows]; ++k) ++rows_with[lists.columns[k]];
    std::vector<std::vector<std::int32_t>> members(wanted.size());
    for (std::int64_t row = 0; row < lists.rows; ++row) {
        members[labels[row]].push_back(static_cast<std::int32_t>(row));
    }
    std::vector<std::vector<std::int32_t>> chosen(wanted.size());
    parallel::for_ranges(static_cast<std::int64_t>(wanted.size()), threads,
                         [&](unsigned, std::int64_t begin, std::int64_t end) {
                             for (std::int64_t own = begin; own < end; ++own) {
                                 chosen[own] = rows_of_class(lists, members[own], rows_with,
                                                             priority, wanted[own]);
                             }
                         });
    std::vector<std::int32_t> all;
    for (const auto& own : chosen) all.insert(all.end(), own.begin(), own.end());
    return all;
}

}  // namespace dsir::gais
