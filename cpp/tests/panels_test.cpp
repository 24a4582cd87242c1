#include "simd/panels.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "check.hpp"
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
