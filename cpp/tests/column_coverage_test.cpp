#include "gais/column_coverage.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "check.hpp"
#include "numeric/portable_log.hpp"
#include "random_values.hpp"

namespace {

using namespace dsir::gais;
using dsir::test::Random;

struct Case {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> columns;
    std::vector<std::int32_t> labels;
    std::vector<std::int32_t> priority;
    std::int64_t width;

    ColumnListsView view() const {
        return {static_cast<std::int64_t>(labels.size()), width, offsets.data(), columns.data()};
    }
    bool has(std::int32_t row, std::int32_t column) const {
        return std::binary_search(columns.begin() + offsets[row],
                                  columns.begin() + offsets[row + 1], column);
    }
};

Case random_case(Random& random, std::int32_t rows, std::int32_t width) {
    Case made;
    made.width = width;
    for (std::int32_t row = 0; row < rows; ++row) {
        const auto label = static_cast<std::int32_t>(random.below(3));
        for (std::int32_t column = 0; column < width; ++column) {
            const std::uint64_t odds = column % 3 == label ? 4 : 12;
            if (random.below(odds) == 0) made.columns.push_back(column);
        }
        made.offsets.push_back(static_cast<std::int64_t>(made.columns.size()));
        made.labels.push_back(label);
        made.priority.push_back((row * 7) % rows);
    }
    return made;
}

/// What greedy takes of a class, all gains computed anew for every row.
std::vector<std::int32_t> plain(const Case& given, std::int32_t label, std::int64_t wanted) {
    const auto rows = static_cast<std::int32_t>(given.labels.size());
    std::vector<double> weights;
    std::int32_t inside = 0;
    for (const std::int32_t own : given.labels) inside += own == label;
    for (std::int32_t column = 0; column < given.width; ++column) {
        double a = 0, b = 0;
        for (std::int32_t row = 0; row < rows; ++row) {
            (given.labels[row] == label ? a : b) += given.has(row, column);
        }
        const double likelier = (a + 0.5) / (inside + 1) / ((b + 0.5) / (rows - inside + 1));
        const bool tells = a > 0 && a + b > 1 && likelier > 1;
        weights.push_back(tells ? a * dsir::numeric::portable_log(likelier) : 0.0);
    }
    std::vector<std::int32_t> chosen;
    while (static_cast<std::int64_t>(chosen.size()) < wanted) {
        std::int32_t best = -1;
        double most = -1;
        for (std::int32_t row = 0; row < rows; ++row) {
            if (given.labels[row] != label || std::ranges::count(chosen, row) > 0) continue;
            double sum = 0;
            for (std::int64_t k = given.offsets[row]; k < given.offsets[row + 1]; ++k) {
                double times = 1;
                for (const std::int32_t one : chosen) times += given.has(one, given.columns[k]);
                sum += weights[given.columns[k]] / (times * times);
            }
            const auto length = static_cast<double>(given.offsets[row + 1] - given.offsets[row]);
            const double root = std::sqrt(length);
            const double gain = length == 0 ? 0.0 : sum / (root * std::sqrt(root));
            const bool sooner = best >= 0 && given.priority[row] < given.priority[best];
            if (gain > most || (gain == most && sooner)) {
                most = gain;
                best = row;
            }
        }
        chosen.push_back(best);
    }
    return chosen;
}

TEST(lazy_greedy_takes_what_plain_greedy_takes) {
    Random random(11);
    for (const std::int32_t rows : {3, 40, 120}) {
        for (const std::int32_t width : {1, 9, 60}) {
            const Case given = random_case(random, rows, width);
            std::vector<std::int64_t> wanted;
            std::vector<std::int32_t> expected;
            for (std::int32_t label = 0; label < 3; ++label) {
                const auto own = std::ranges::count(given.labels, label);
                wanted.push_back(std::min<std::int64_t>(own, 12));
                const auto taken = plain(given, label, wanted.back());
                expected.insert(expected.end(), taken.begin(), taken.end());
            }
            for (const unsigned threads : {1U, 3U}) {
                CHECK(column_coverage(given.view(), given.labels.data(), given.priority.data(),
                                      wanted, threads) == expected);
            }
        }
    }
}

TEST(no_rows_and_no_columns) {
    const std::int64_t nothing = 0;
    CHECK(column_coverage({0, 5, &nothing, nullptr}, nullptr, nullptr, {0, 0}, 2).empty());
    const std::vector<std::int64_t> offsets{0, 0, 0};
    const std::vector<std::int32_t> labels{0, 0}, priority{1, 0};
    const auto found =
        column_coverage({2, 0, offsets.data(), nullptr}, labels.data(), priority.data(), {1}, 1);
    CHECK(found == std::vector<std::int32_t>{1});
}

}  // namespace
