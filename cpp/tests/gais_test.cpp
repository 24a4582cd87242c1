#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "check.hpp"
#include "gais/attention_network.hpp"
#include "gais/dense_products.hpp"
#include "gais/facility_location.hpp"
#include "gais/group_neighbours.hpp"
#include "gais/landmarks.hpp"
#include "gais/node_runs.hpp"
#include "numeric/portable_exp_float.hpp"
#include "random_values.hpp"

namespace {

using namespace dsir::gais;
using dsir::numeric::DenseRows;
using dsir::test::Random;
using dsir::test::random_values;

TEST(exp_float_is_near_exp) {
    double worst = 0;
    for (int step = -86000; step <= 88000; ++step) {
        const float x = static_cast<float>(step) / 1000.0F;
        const double exact = std::exp(static_cast<double>(x));
        const double found = static_cast<double>(dsir::numeric::portable_exp_float(x));
        worst = std::max(worst, std::abs(found / exact - 1));
    }
    CHECK(worst < 4 * 0x1p-24);
    CHECK_EQUAL(dsir::numeric::portable_exp_float(-88.0F), 0.0F);
    CHECK_EQUAL(dsir::numeric::portable_exp_float(0.0F), 1.0F);
    CHECK_EQUAL(dsir::numeric::portable_exp_float(-std::numeric_limits<float>::infinity()), 0.0F);
}

TEST(products_are_those_of_the_definition) {
    Random random(1);
    for (const std::int64_t rows : {1, 7, 1500}) {
        for (const std::int64_t inner : {1, 5, 16}) {
            for (const std::int64_t columns : {1, 3, 32}) {
                const auto left = random_values(random, static_cast<std::size_t>(rows * inner));
                const auto right = random_values(random, static_cast<std::size_t>(inner * columns));
                const auto other = random_values(random, static_cast<std::size_t>(rows * columns));
                std::vector<float> out(static_cast<std::size_t>(rows * columns));
                std::vector<float> turned(static_cast<std::size_t>(inner * columns));
                multiply(left.data(), right.data(), out.data(), rows, inner, columns, 2);
                multiply_transposed(left.data(), other.data(), turned.data(), rows, inner, columns,
                                    2);
                double worst = 0;
                for (std::int64_t i = 0; i < rows; ++i) {
                    for (std::int64_t c = 0; c < columns; ++c) {
                        double sum = 0;
                        for (std::int64_t k = 0; k < inner; ++k) {
                            sum += double{left[i * inner + k]} * double{right[k * columns + c]};
                        }
                        worst = std::max(worst, std::abs(sum - double{out[i * columns + c]}));
                    }
                }
                for (std::int64_t k = 0; k < inner; ++k) {
                    for (std::int64_t c = 0; c < columns; ++c) {
                        double sum = 0;
                        for (std::int64_t i = 0; i < rows; ++i) {
                            sum += double{left[i * inner + k]} * double{other[i * columns + c]};
                        }
                        worst = std::max(worst, std::abs(sum - double{turned[k * columns + c]}));
                    }
                }
                CHECK(worst < 1e-3);
            }
        }
    }
}

TEST(threads_change_no_bit_of_a_product) {
    Random random(2);
    const auto left = random_values(random, 40000 * 9);
    const auto right = random_values(random, 40000 * 20);
    std::vector<float> one(9 * 20), five(9 * 20);
    multiply_transposed(left.data(), right.data(), one.data(), 40000, 9, 20, 1);
    multiply_transposed(left.data(), right.data(), five.data(), 40000, 9, 20, 5);
    CHECK(one == five);
}

TEST(neighbours_are_the_nearest_of_the_groups) {
    Random random(3);
    const std::int64_t size = 90;
    const std::int64_t width = 5;
    const auto values = random_values(random, static_cast<std::size_t>(size * width));
    const DenseRows rows{size, width, values.data()};
    // Two tables: thirds, and halves in another order.
    std::vector<std::int32_t> plain, mixed_order;
    for (std::int32_t i = 0; i < size; ++i) {
        plain.push_back(i);
        mixed_order.push_back((i * 7) % 90);
    }
    const std::vector<std::int64_t> thirds{0, 30, 60, 90};
    const std::vector<std::int64_t> halves{0, 45, 90};
    const std::vector<GroupTable> tables{{plain.data(), thirds.data(), 3},
                                         {mixed_order.data(), halves.data(), 2}};
    for (const unsigned threads : {1U, 3U}) {
        const Neighbours found = group_neighbours(rows, tables, 6, -100.0F, threads);
        for (std::int32_t i = 0; i < size; ++i) {
            std::vector<std::pair<float, std::int32_t>> candidates;
            std::vector<int> shared(90, 0);
            for (std::int32_t j = 0; j < size; ++j) {
                if (j == i) continue;
                if (i / 30 == j / 30) ++shared[j];
                const auto at = [&](std::int32_t row) {
                    return std::find(mixed_order.begin(), mixed_order.end(), row) -
                           mixed_order.begin();
                };
                if (at(i) / 45 == at(j) / 45) ++shared[j];
                if (shared[j] > 0) {
                    candidates.emplace_back(
                        -dot(values.data() + i * width, values.data() + j * width, width), j);
                }
            }
            std::sort(candidates.begin(), candidates.end());
            std::vector<std::int32_t> expected;
            for (int k = 0; k < 6; ++k) expected.push_back(candidates[k].second);
            std::sort(expected.begin(), expected.end());
            const std::vector<std::int32_t> neighbours(
                found.neighbours.begin() + found.offsets[i],
                found.neighbours.begin() + found.offsets[i + 1]);
            CHECK_EQUAL(neighbours, expected);
            for (std::int64_t e = found.offsets[i]; e < found.offsets[i + 1]; ++e) {
                CHECK_EQUAL(found.shares[e],
                            static_cast<float>(shared[found.neighbours[e]]) / 2.0F);
            }
        }
    }
}

TEST(facilities_by_hand) {
    // Candidate 1 serves all rows a little; 0 and 2 serve one row well each.
    const std::vector<std::int64_t> offsets{0, 1, 4, 5};
    const std::vector<std::int32_t> served{0, 0, 1, 2, 2};
    const std::vector<float> values{0.75F, 0.5F, 0.5F, 0.5F, 1.0F};
    const ServiceView view{3, 3, offsets.data(), served.data(), values.data()};
    const std::vector<std::int32_t> group{0, 0, 0};
    const auto found = facility_location(view, group.data(), {2});
    CHECK_EQUAL(found.chosen, std::vector<std::int32_t>{1, 2});
    CHECK_EQUAL(found.gains, std::vector<double>{1.5, 0.5});
}

TEST(the_network_runs_on_any_number_of_threads) {
    Random random(6);
    const std::int64_t size = 700;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> ends;
    for (std::int32_t i = 0; i < size; ++i) {
        ends.push_back(i);
        for (int k = 0; k < 4; ++k) ends.push_back(static_cast<std::int32_t>(random.below(700)));
        offsets.push_back(static_cast<std::int64_t>(ends.size()));
    }
    const AttentionGraph graph = make_attention_graph(offsets, ends);
    CHECK_EQUAL(graph.reverse_offsets.back(), graph.edges());
    const NetworkShape shape{6, 3, 8, 2};
    const auto features = random_values(random, 700 * 6);
    const auto weights = random_values(random, static_cast<std::size_t>(shape.weights()));
    const std::vector<float> node_weights(700, 1.0F / 700);
    const std::vector<std::int32_t> labels(700, 1);
    std::vector<std::vector<float>> gradients;
    NetworkMemory<float> memory;
    for (const unsigned threads : {1U, 4U}) {
        std::vector<float> gradient(static_cast<std::size_t>(shape.weights()));
        const double loss =
            network_gradient(graph, features.data(), labels.data(), node_weights.data(), shape,
                             weights.data(), {0.3, 0.3, 9}, memory, gradient.data(), threads);
        CHECK(std::isfinite(loss));
        gradients.push_back(gradient);
    }
    CHECK(gradients[0] == gradients[1]);
    // The logits of some nodes, in any order, are those of all.
    const auto all = run_network(graph, features.data(), shape, weights.data(), 1).logits;
    const std::vector<std::int32_t> nodes{699, 3, 4, 5, 350, 3, 0};
    for (const unsigned threads : {1U, 4U}) {
        const auto some = node_logits(graph, nodes.data(), std::ssize(nodes), features.data(),
                                      shape, weights.data(), threads);
        CHECK_EQUAL(some.size(), nodes.size() * 2);
        for (std::size_t k = 0; k < nodes.size(); ++k) {
            const auto row = static_cast<std::size_t>(nodes[k]) * 2;
            CHECK(some[2 * k] == all[row] && some[2 * k + 1] == all[row + 1]);
        }
    }
    CHECK(node_logits(graph, nodes.data(), 0, features.data(), shape, weights.data(), 1).empty());
}

TEST(runs_are_the_nodes_marked) {
    const NodeRuns runs = marked_runs({1, 1, 0, 0, 1, 0, 1, 1, 1});
    std::vector<std::int64_t> seen;
    const auto note = [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) seen.push_back(i);
        seen.push_back(-1);
    };
    for_runs(runs, 0, 9, note);
    CHECK_EQUAL(seen, std::vector<std::int64_t>{0, 1, -1, 4, -1, 6, 7, 8, -1});
    seen.clear();
    for_runs(runs, 1, 7, note);
    for_runs(runs, 2, 4, note);
    CHECK_EQUAL(seen, std::vector<std::int64_t>{1, -1, 4, -1, 6, -1});
}

/// In single precision the kernels for common shapes are not the code of double precision.
TEST(single_precision_is_near_double) {
    Random random(7);
    const std::int64_t size = 90;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> ends;
    for (std::int32_t i = 0; i < size; ++i) {
        ends.push_back(i);
        for (std::size_t k = random.below(7); k > 0; --k) {
            ends.push_back(static_cast<std::int32_t>(random.below(90)));
        }
        offsets.push_back(static_cast<std::int64_t>(ends.size()));
    }
    const AttentionGraph graph = make_attention_graph(offsets, ends);
    NetworkMemory<float> memory;
    NetworkMemory<double> wide_memory;
    for (const NetworkShape& shape :
         {NetworkShape{5, 4, 8, 2}, NetworkShape{5, 4, 8, 3}, NetworkShape{5, 4, 2, 8},
          NetworkShape{5, 4, 11, 5}, NetworkShape{5, 3, 8, 2}, NetworkShape{5, 1, 1, 1}}) {
        const auto features = random_values(random, 90 * 5);
        const auto weights = random_values(random, static_cast<std::size_t>(shape.weights()));
        const std::vector<float> node_weights(90, 1.0F / 90);
        std::vector<std::int32_t> labels(90);
        for (std::int32_t& label : labels) {
            label =
                static_cast<std::int32_t>(random.below(static_cast<std::size_t>(shape.classes)));
        }
        const auto wide = [](const std::vector<float>& values) {
            return std::vector<double>(values.begin(), values.end());
        };
        std::vector<float> narrow(weights.size());
        std::vector<double> exact(weights.size());
        const Dropout dropout{0.3, 0.3, 5};
        const double loss =
            network_gradient(graph, features.data(), labels.data(), node_weights.data(), shape,
                             weights.data(), dropout, memory, narrow.data(), 1);
        const double expected =
            network_gradient(graph, wide(features).data(), labels.data(), wide(node_weights).data(),
                             shape, wide(weights).data(), dropout, wide_memory, exact.data(), 1);
        CHECK(std::abs(loss - expected) <= 1e-4 * (1 + std::abs(expected)));
        double most = 0;
        double worst = 0;
        for (std::size_t k = 0; k < exact.size(); ++k) {
            most = std::max(most, std::abs(exact[k]));
            worst = std::max(worst, std::abs(exact[k] - static_cast<double>(narrow[k])));
        }
        CHECK(worst <= 2e-4 * most + 1e-7);
    }
}

TEST(landmarks_give_back_distances_of_points) {
    Random random(3);
    const std::int64_t size = 60;
    const std::vector<float> points = random_values(random, 60 * 3);
    const std::vector<std::int32_t> landmarks = {0, 7, 13, 21, 40, 59};
    std::vector<float> squared;
    for (const std::int32_t l : landmarks) {
        for (std::int64_t i = 0; i < size; ++i) {
            squared.push_back(squared_distance(points.data() + l * 3, points.data() + i * 3, 3));
        }
    }
    const LandmarkDistances known = {6, size, squared.data(), landmarks.data()};
    const Coordinates found = landmark_coordinates(known, 8, 1);
    CHECK_EQUAL(found.width, 3);
    double worst = 0;
    for (std::int64_t i = 0; i < size; ++i) {
        for (std::int64_t j = 0; j < size; ++j) {
            const float given = squared_distance(points.data() + i * 3, points.data() + j * 3, 3);
            const float back =
                squared_distance(found.values.data() + i * 3, found.values.data() + j * 3, 3);
            worst = std::max(worst, std::abs(static_cast<double>(given) - back));
        }
    }
    CHECK(worst < 1e-3);
    CHECK(landmark_coordinates(known, 8, 3).values == found.values);
    CHECK_EQUAL(landmark_coordinates(known, 2, 1).width, 2);
    const std::vector<float> nothing(squared.size(), 0.0F);
    const Coordinates none =
        landmark_coordinates({6, size, nothing.data(), landmarks.data()}, 8, 1);
    CHECK_EQUAL(none.width, 1);
    CHECK(none.values == std::vector<float>(60, 0.0F));
}

TEST(shortest_paths_go_around) {
    // 0 - 1 - 2 with a long edge from 0 to 2, and a row that no path reaches.
    const std::vector<std::int64_t> offsets = {0, 2, 4, 6, 6};
    const std::vector<std::int32_t> ends = {1, 2, 0, 2, 0, 1};
    const std::vector<float> lengths = {1.0F, 9.0F, 1.0F, 2.5F, 9.0F, 2.5F};
    const std::vector<float> found =
        shortest_paths({4, offsets.data(), ends.data(), lengths.data()}, 0);
    const float far = std::numeric_limits<float>::infinity();
    CHECK(found == (std::vector<float>{0.0F, 1.0F, 3.5F, far}));
}

}  // namespace
