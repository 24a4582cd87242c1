#include "simd/panels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "check.hpp"
#include "gais/dense_products.hpp"
#include "simd/cpu.hpp"

namespace {

using dsir::simd::Level;
using dsir::simd::levels_up_to_active;
using dsir::test::Random;

TEST(panels_are_summed_column_by_column) {
    Random random(11);
    constexpr std::int64_t kRows = dsir::simd::kPanelRows;
    for (const std::int64_t width : {1, 2, 7, 16, 33}) {
        const std::int64_t count = 3;
        std::vector<float> panels(static_cast<std::size_t>(count * kRows * width));
        std::vector<float> point(static_cast<std::size_t>(width));
        for (float& value : panels) value = static_cast<float>(random.below(9)) / 3.0F;
        for (float& value : point) value = static_cast<float>(random.below(9)) / 3.0F;
        // The second panel repeats the first: the first among equals is the nearest.
        std::copy_n(panels.begin(), kRows * width, panels.begin() + kRows * width);
        // The last rows of a table are infinitely far away.
        for (std::int64_t f = 0; f < width; ++f) {
            panels[static_cast<std::size_t>((2 * width + f) * kRows + kRows - 1)] =
                std::numeric_limits<float>::infinity();
        }
        std::vector<float> distances, products;
        float least = std::numeric_limits<float>::infinity();
        std::int32_t nearest = 0;
        for (std::int64_t row = 0; row < count * kRows; ++row) {
            float distance = 0;
            float product = 0;
            for (std::int64_t f = 0; f < width; ++f) {
                const float value = panels[static_cast<std::size_t>(
                    (row / kRows * width + f) * kRows + row % kRows)];
                const float gap = value - point[static_cast<std::size_t>(f)];
                distance += gap * gap;
                product += value * point[static_cast<std::size_t>(f)];
            }
            distances.push_back(distance);
            products.push_back(product);
            if (distance < least) {
                least = distance;
                nearest = static_cast<std::int32_t>(row);
            }
        }
        for (const Level level : levels_up_to_active()) {
            const dsir::simd::PanelKernels& kernels = dsir::simd::panel_kernels(level);
            std::vector<float> found(distances.size());
            kernels.distances(panels.data(), count, width, point.data(), found.data());
            CHECK(found == distances);
            // Each of several points gets what it gets alone.
            std::vector<float> others(point);
            for (float& value : others) value += 0.25F;
            const float* const points[] = {point.data(), others.data(), point.data(),
                                           others.data()};
            static_assert(std::size(points) == dsir::simd::kPointsTogether);
            std::vector<float> together(distances.size() * std::size(points)), alone(found);
            kernels.distances_together(panels.data(), count, width, points, together.data());
            for (std::size_t p = 0; p < std::size(points); ++p) {
                kernels.distances(panels.data(), count, width, points[p], alone.data());
                CHECK(std::equal(
                    alone.begin(), alone.end(),
                    together.begin() + static_cast<std::ptrdiff_t>(p * distances.size())));
            }
            float distance = -1;
            CHECK_EQUAL(kernels.nearest(panels.data(), count, width, point.data(), &distance),
                        nearest);
            CHECK_EQUAL(distance, least);
            found.pop_back();
            products.pop_back();  // infinity times zero is not a number
            found.push_back(0);
            kernels.products(panels.data(), count, width, point.data(), found.data());
            found.pop_back();
            CHECK(found == products);
            products.push_back(0);
        }
    }
}

TEST(values_below_their_bounds_are_found_in_order) {
    Random random(12);
    for (int run = 0; run < 60; ++run) {
        const auto size = static_cast<std::int64_t>(random.below(120));
        const std::uint64_t rare = 1 + random.below(40);
        std::vector<float> values, bounds;
        for (std::int64_t i = 0; i < size; ++i) {
            const float bound = static_cast<float>(random.below(5));
            bounds.push_back(bound);
            values.push_back(random.below(rare) == 0 ? bound - 1
                                                     : bound + static_cast<float>(i % 2));
        }
        if (size > 0) values.back() = std::numeric_limits<float>::quiet_NaN();
        const auto begin =
            static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(size + 1)));
        std::vector<std::int32_t> expected;
        for (std::int64_t i = begin; i < size; ++i) {
            if (values[static_cast<std::size_t>(i)] < bounds[static_cast<std::size_t>(i)]) {
                expected.push_back(static_cast<std::int32_t>(i));
            }
        }
        for (const Level level : levels_up_to_active()) {
            std::vector<std::int32_t> found(static_cast<std::size_t>(size));
            found.resize(static_cast<std::size_t>(dsir::simd::panel_kernels(level).below(
                values.data(), bounds.data(), begin, size, found.data())));
            CHECK(found == expected);
        }
    }
}

TEST(the_two_least_values_are_those_of_one_after_the_other) {
    Random random(13);
    constexpr float kFar = std::numeric_limits<float>::infinity();
    for (int run = 0; run < 60; ++run) {
        const auto size = static_cast<std::int64_t>(random.below(120));
        std::vector<float> values;
        for (std::int64_t i = 0; i < size; ++i) {
            values.push_back(random.below(9) == 0 ? kFar : static_cast<float>(random.below(20)));
        }
        const auto begin =
            static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(size + 1)));
        std::vector<std::pair<float, std::int32_t>> order{{6.5F, -1}, {kFar, -1}};
        for (std::int64_t i = begin; i < size; ++i) {
            const float value = values[static_cast<std::size_t>(i)];
            if (value < kFar) order.emplace_back(value, static_cast<std::int32_t>(i));
        }
        std::stable_sort(order.begin(), order.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const Level level : levels_up_to_active()) {
            dsir::simd::LeastTwo found{6.5F, kFar, -1, -1};
            dsir::simd::panel_kernels(level).offer_all(values.data(), begin, size, &found);
            CHECK_EQUAL(found.first, order[0].first);
            CHECK_EQUAL(found.first_number, order[0].second);
            CHECK_EQUAL(found.second, order[1].first);
            CHECK_EQUAL(found.second_number, order[1].second);
        }
    }
}

TEST(least_values_are_those_of_a_sort) {
    Random random(18);
    constexpr float kFar = std::numeric_limits<float>::infinity();
    constexpr auto kRows = static_cast<std::size_t>(dsir::simd::kPanelRows);
    for (int run = 0; run < 90; ++run) {
        const auto count = static_cast<std::int64_t>(1 + random.below(30));
        const std::uint64_t unlike = run % 3 == 0 ? 4 : 100000;
        std::vector<float> values;
        for (std::size_t i = 0; i < static_cast<std::size_t>(count) * kRows; ++i) {
            const bool is_far = run % 4 == 0 && random.below(8) != 0;
            values.push_back(is_far ? kFar : static_cast<float>(random.below(unlike)) - 2.0F);
        }
        // The least come last, and then first: a limit has to be lowered, and never is.
        if (run % 5 == 1) std::sort(values.begin(), values.end(), std::greater<>());
        if (run % 5 == 2) std::sort(values.begin(), values.end());
        std::vector<float> sorted(values);
        std::sort(sorted.begin(), sorted.end());
        std::vector<float> minima(kRows, kFar);
        for (std::size_t i = 0; i < values.size(); ++i) {
            minima[i % kRows] = std::min(minima[i % kRows], values[i]);
        }
        std::sort(minima.begin(), minima.end());
        const float few = minima[static_cast<std::size_t>(dsir::simd::kFew - 1)];
        const auto numbers_of = [&](auto&& is_wanted) {
            std::vector<std::int32_t> numbers;
            for (std::size_t i = 0; i < values.size(); ++i) {
                if (is_wanted(values[i])) numbers.push_back(static_cast<std::int32_t>(i));
            }
            return numbers;
        };
        for (const Level level : levels_up_to_active()) {
            const dsir::simd::PanelKernels& kernels = dsir::simd::panel_kernels(level);
            for (std::int32_t place = 1; place <= dsir::simd::kPanelRows; ++place) {
                CHECK_EQUAL(kernels.place_least(values.data(), count, place),
                            sorted[static_cast<std::size_t>(place - 1)]);
            }
            std::vector<std::int32_t> found(values.size());
            float limit = 0;
            found.resize(static_cast<std::size_t>(
                kernels.least_few(values.data(), count, found.data(), &limit)));
            CHECK_EQUAL(limit, few);
            CHECK_EQUAL(found, numbers_of([&](float value) { return value < few; }));
            found.resize(values.size());
            found.resize(static_cast<std::size_t>(
                kernels.at_most(values.data(), count, sorted[5], found.data())));
            CHECK_EQUAL(found, numbers_of([&](float value) { return value <= sorted[5]; }));
        }
    }
}

TEST(numbers_with_a_value_on_either_side_are_found_in_order) {
    Random random(19);
    for (int run = 0; run < 60; ++run) {
        const auto size = static_cast<std::int64_t>(random.below(400));
        const std::uint64_t rare = 2 + random.below(90);
        std::vector<std::int32_t> one, other, expected;
        const auto begin =
            static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(size + 1)));
        for (std::int64_t i = 0; i < size; ++i) {
            one.push_back(static_cast<std::int32_t>(random.below(rare)));
            other.push_back(static_cast<std::int32_t>(random.below(rare)));
            if (i < begin || (one.back() != 1 && other.back() != 1)) continue;
            expected.push_back(static_cast<std::int32_t>(i));
        }
        for (const Level level : levels_up_to_active()) {
            std::vector<std::int32_t> found(static_cast<std::size_t>(size));
            found.resize(static_cast<std::size_t>(dsir::simd::panel_kernels(level).either_equal(
                one.data(), other.data(), 1, begin, size, found.data())));
            CHECK_EQUAL(found, expected);
        }
    }
}

TEST(lane_products_have_the_bits_of_dot) {
    Random random(20);
    constexpr std::int64_t kRows = dsir::simd::kPanelRows;
    for (const std::int64_t width : {1, 3, 8, 13, 16, 17, 40}) {
        const std::int64_t count = 3;
        std::vector<float> panels(static_cast<std::size_t>(count * kRows * width));
        std::vector<float> point(static_cast<std::size_t>(width)), expected;
        for (float& value : panels) value = static_cast<float>(random.below(1000)) / 300.0F - 1;
        for (float& value : point) value = static_cast<float>(random.below(1000)) / 300.0F - 1;
        point[0] = -0.0F;
        for (std::int64_t row = 0; row < count * kRows; ++row) {
            std::vector<float> own;
            for (std::int64_t f = 0; f < width; ++f) {
                own.push_back(panels[static_cast<std::size_t>((row / kRows * width + f) * kRows +
                                                              row % kRows)]);
            }
            expected.push_back(dsir::gais::dot(own.data(), point.data(), width));
        }
        for (const Level level : levels_up_to_active()) {
            std::vector<float> found(expected.size());
            dsir::simd::panel_kernels(level).lane_products(panels.data(), count, width,
                                                           point.data(), found.data());
            CHECK_EQUAL(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)),
                        0);
        }
    }
}

TEST(balances_are_those_of_roots) {
    Random random(14);
    for (std::int64_t size = 0; size < 70; ++size) {
        std::vector<float> own, other, expected;
        for (std::int64_t i = 0; i < size; ++i) {
            own.push_back(static_cast<float>(random.below(5)) * 0.37F);
            other.push_back(static_cast<float>(random.below(5)) * 1.9F);
            const float a = std::sqrt(own.back());
            const float b = std::sqrt(other.back());
            expected.push_back(a + b > 0 ? (a - b) / (a + b) : 0.0F);
        }
        for (const Level level : levels_up_to_active()) {
            std::vector<float> found = own;
            dsir::simd::panel_kernels(level).balances(found.data(), other.data(), size);
            CHECK(found == expected);
        }
    }
}

}  // namespace
