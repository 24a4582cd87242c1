#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "gais/exchanges/judged_exchanges.hpp"
#include "gais/exchanges/kept_rows.hpp"
#include "gais/exchanges/naive_bayes.hpp"
#include "gais/exchanges/part_rows.hpp"
#include "gais/exchanges/ridge.hpp"
#include "random_values.hpp"

namespace {

using namespace dsir::gais::exchanges;
using dsir::test::Random;

struct Case {
    std::int64_t width = 0;
    std::int32_t classes = 0;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> columns;
    std::vector<float> values;
    std::vector<std::int32_t> labels;

    std::int32_t rows() const { return static_cast<std::int32_t>(labels.size()); }
    SparseRowsView view() const {
        return {rows(), width, offsets.data(), columns.data(), values.data()};
    }
    std::vector<std::int32_t> members() const {
        std::vector<std::int32_t> all(labels.size());
        std::iota(all.begin(), all.end(), 0);
        return all;
    }
    float product(std::int32_t one, std::int32_t other) const {
        float sum = 0;
        for (std::int64_t i = offsets[one]; i < offsets[one + 1]; ++i) {
            for (std::int64_t j = offsets[other]; j < offsets[other + 1]; ++j) {
                if (columns[i] == columns[j]) sum += values[i] * values[j];
            }
        }
        return sum;
    }
};

Case random_case(Random& random, std::int32_t rows, std::int32_t classes, std::int32_t width) {
    Case made;
    made.width = width;
    made.classes = classes;
    for (std::int32_t row = 0; row < rows; ++row) {
        const auto label = row < classes ? row : static_cast<std::int32_t>(random.below(classes));
        const std::size_t begin = made.columns.size();
        for (std::int32_t column = 0; column < width; ++column) {
            const std::uint64_t odds = column % classes == label ? 3 : 9;
            if (random.below(odds) == 0) made.columns.push_back(column);
        }
        const auto size = static_cast<float>(made.columns.size() - begin);
        made.values.resize(made.columns.size(), 1 / std::sqrt(std::max(size, 1.0F)));
        made.offsets.push_back(static_cast<std::int64_t>(made.columns.size()));
        made.labels.push_back(label);
    }
    return made;
}

TEST(products_are_sums_over_columns) {
    Random random(1);
    const Case given = random_case(random, 40, 3, 30);
    const std::vector<std::int32_t> members{0, 3, 4, 9, 17, 18, 39};
    const PartRows part(given.view(), members, given.labels.data(), 3);
    std::vector<float> found(members.size());
    for (std::size_t row = 0; row < members.size(); ++row) {
        part.products(static_cast<std::int32_t>(row), found.data());
        for (std::size_t other = 0; other < members.size(); ++other) {
            CHECK(std::abs(found[other] - given.product(members[row], members[other])) < 1e-6F);
        }
    }
}

TEST(ridge_coefficients_solve_the_system) {
    Random random(2);
    for (const std::int32_t size : {1, 2, 9, 70}) {
        const Case given = random_case(random, size, std::min(size, 3), 25);
        std::vector<float> products, coefficients;
        for (std::int32_t i = 0; i < size; ++i) {
            for (std::int32_t j = 0; j < size; ++j) products.push_back(given.product(i, j));
        }
        const std::vector<float> kept = products;
        ridge_coefficients(products, given.labels, given.classes, coefficients);
        for (std::int32_t label = 0; label < given.classes; ++label) {
            for (std::int32_t i = 0; i < size; ++i) {
                double sum = coefficients[label * size + i];
                for (std::int32_t j = 0; j < size; ++j) {
                    sum += kept[i * size + j] * coefficients[label * size + j];
                }
                CHECK(std::abs(sum - (given.labels[i] == label ? 1 : -1)) < 1e-4);
            }
        }
    }
}

TEST(naive_bayes_that_follows_guesses_as_one_that_is_new) {
    Random random(3);
    const Case given = random_case(random, 60, 4, 40);
    const PartRows part(given.view(), given.members(), given.labels.data(), 4);
    NaiveBayes followed(part);
    std::vector<std::int32_t> kept{0, 1, 2, 3, 10, 11};
    for (const std::int32_t row : kept) followed.change(row, 1);
    followed.follow();
    followed.keep();
    std::vector<std::int32_t> found(60), expected(60);
    for (int step = 0; step < 50; ++step) {
        const std::size_t slot = 4 + random.below(2);
        const auto row = static_cast<std::int32_t>(12 + random.below(48));
        followed.change(kept[slot], -1);
        followed.change(row, 1);
        followed.follow();
        if (random.below(2) == 0) {
            followed.undo();
        } else {
            kept[slot] = row;
            followed.keep();
        }
        NaiveBayes fresh(part);
        for (const std::int32_t one : kept) fresh.change(one, 1);
        fresh.follow();
        followed.guess(0, 60, found.data());
        fresh.guess(0, 60, expected.data());
        CHECK(found == expected);
    }
}

TEST(rows_that_were_put_back_leave_nothing) {
    Random random(4);
    const Case given = random_case(random, 80, 3, 40);
    const PartRows part(given.view(), given.members(), given.labels.data(), 3);
    KeptRows rows(part, {0, 1, 2, 20, 21});
    std::vector<Tally> before, after;
    rows.ask(before);
    rows.replace(3, 30);
    rows.replace(3, 31);
    rows.replace(4, 20);
    rows.ask(after);
    CHECK(rows.kept() == std::vector<std::int32_t>({0, 1, 2, 31, 20}));
    CHECK(rows.has(31) && rows.has(20) && !rows.has(30) && !rows.has(21));
    rows.undo();
    CHECK(rows.kept() == std::vector<std::int32_t>({0, 1, 2, 20, 21}));
    rows.ask(after);
    for (std::size_t i = 0; i < before.size(); ++i) {
        CHECK_EQUAL(before[i].given, after[i].given);
        CHECK_EQUAL(before[i].right, after[i].right);
    }
}

TEST(exchanges_get_more_rows_right) {
    Random random(5);
    const Case given = random_case(random, 200, 3, 40);
    ExchangeSettings settings;
    settings.tries = 20;
    settings.most_exchanged = 3;
    const std::vector<std::int32_t> kept{0, 1, 2, 50, 51, 52, 53, 54};
    const auto members = given.members();
    const auto found =
        judged_exchanges(given.view(), given.labels.data(), 3, members, kept, settings);
    std::int64_t right[2] = {};
    for (int when = 0; when < 2; ++when) {
        for (const Tally& one : found.tallies[when]) right[when] += one.right;
    }
    CHECK(right[1] > right[0]);
    auto rows = found.kept;
    std::sort(rows.begin(), rows.end());
    CHECK(std::unique(rows.begin(), rows.end()) == rows.end());
    CHECK_EQUAL(rows.size(), kept.size());
}

TEST(all_members_kept_stay) {
    Random random(6);
    const Case given = random_case(random, 10, 2, 20);
    ExchangeSettings settings;
    settings.tries = 5;
    const std::vector<std::int32_t> members{1, 4, 5};
    const auto found =
        judged_exchanges(given.view(), given.labels.data(), 2, members, members, settings);
    CHECK(found.kept == members);
}

}  // namespace
