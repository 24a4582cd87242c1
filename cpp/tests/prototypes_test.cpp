#include "gais/prototypes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "gais/few_nearest.hpp"
#include "gais/near_rows.hpp"
#include "numeric/mixed.hpp"
#include "numeric/portable_exp_float.hpp"
#include "random_values.hpp"

namespace {

using namespace dsir::gais;
using dsir::numeric::DenseRows;
using dsir::test::Random;
using dsir::test::random_values;

TEST(clusters_of_one_row_each_are_those_rows) {
    Random random(4);
    const auto values = random_values(random, 12 * 3);
    const DenseRows rows{12, 3, values.data()};
    const std::vector<std::int32_t> members{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    const std::vector<std::int64_t> offsets{0, 5, 5, 12};
    const std::vector<std::int64_t> wanted{5, 0, 3};
    const auto chosen =
        cluster_prototypes(rows, {members.data(), offsets.data(), 3}, wanted.data(), 10, 0, 2);
    CHECK_EQUAL(chosen.size(), 8U);
    CHECK_EQUAL(std::vector<std::int32_t>(chosen.begin(), chosen.begin() + 5),
                std::vector<std::int32_t>{0, 1, 2, 3, 4});
    std::vector<std::int32_t> last(chosen.begin() + 5, chosen.end());
    std::sort(last.begin(), last.end());
    CHECK(std::adjacent_find(last.begin(), last.end()) == last.end());
    CHECK(last.front() >= 5 && last.back() <= 11);
}

TEST(exchanges_lower_the_loss_and_keep_the_classes) {
    Random random(5);
    const std::int64_t size = 400;
    const auto values = random_values(random, static_cast<std::size_t>(size * 2));
    const DenseRows rows{size, 2, values.data()};
    std::vector<std::int32_t> labels, members;
    std::vector<std::uint8_t> allowed;
    for (std::int32_t i = 0; i < size; ++i) {
        labels.push_back(values[2 * i] * values[2 * i + 1] > 0 ? 1 : 0);
        members.push_back(i);
        allowed.push_back(random.below(4) != 0 ? 1 : 0);
    }
    const std::vector<std::int64_t> offsets{0, 150, size};
    std::vector<std::int32_t> first;
    std::vector<std::int64_t> ends{0};
    for (int part = 0; part < 2; ++part) {
        for (std::int32_t wanted = 0; wanted < 2; ++wanted) {
            int taken = 0;
            for (std::int64_t i = offsets[part]; i < offsets[part + 1] && taken < 5; ++i) {
                if (labels[i] == wanted && allowed[i] != 0) {
                    first.push_back(static_cast<std::int32_t>(i));
                    ++taken;
                }
            }
        }
        ends.push_back(static_cast<std::int64_t>(first.size()));
    }
    std::vector<std::vector<std::int32_t>> found;
    for (const unsigned threads : {1U, 2U}) {
        std::vector<std::int32_t> chosen = first;
        std::vector<double> losses(4);
        exchange_prototypes(rows, labels.data(), allowed.data(),
                            {members.data(), offsets.data(), 2}, ends.data(), chosen.data(),
                            losses.data(), {20.0, 10.0, 0.5, 3}, threads);
        CHECK(losses[2] < losses[0] && losses[3] < losses[1]);
        for (std::size_t s = 0; s < first.size(); ++s) {
            CHECK_EQUAL(labels[chosen[s]], labels[first[s]]);
            CHECK(allowed[chosen[s]] != 0);
            CHECK_EQUAL(chosen[s] < 150, first[s] < 150);
        }
        found.push_back(chosen);
        // Lists of near rows change nothing, whatever their searches started from.
        const Parts parts{members.data(), offsets.data(), 2};
        std::vector<NearRows::Start> starts{{first.data(), ends.data()}};
        if (threads == 2) starts.push_back({chosen.data(), ends.data()});
        const NearRows near(rows, labels.data(), parts, starts, 1 << 20, threads);
        CHECK(near.known() && near.fits(parts));
        std::vector<std::int32_t> listed = first;
        std::vector<double> listed_losses(4);
        exchange_prototypes(rows, labels.data(), allowed.data(), parts, ends.data(), listed.data(),
                            listed_losses.data(), {20.0, 10.0, 0.5, 3}, threads, &near);
        CHECK_EQUAL(listed, chosen);
        CHECK_EQUAL(listed_losses, losses);
    }
    CHECK(found[0] == found[1]);
    CHECK(found[0] != first);
}

/// The search of exchange_prototypes in one part that holds all rows, without any memory of earlier
/// tries: each try finds every row's nearest prototypes again. Distances must differ.
std::vector<std::int32_t> exchanged_naively(const DenseRows& rows,
                                            const std::vector<std::int32_t>& labels,
                                            const std::vector<std::uint8_t>& allowed,
                                            std::vector<std::int32_t> prototypes,
                                            const Exchange& settings) {
    std::vector<std::int32_t> order(labels.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return labels[a] < labels[b]; });
    struct Nearest {
        std::size_t own_slot;
        float own, other, loss;
    };
    const auto nearest_of = [&](std::int32_t i) {
        constexpr float kFar = std::numeric_limits<float>::infinity();
        Nearest found{0, kFar, kFar, 0};
        for (std::size_t s = 0; s < prototypes.size(); ++s) {
            float distance = 0;
            for (std::int64_t f = 0; f < rows.width; ++f) {
                const float gap =
                    rows.values[i * rows.width + f] - rows.values[prototypes[s] * rows.width + f];
                distance += gap * gap;
            }
            const bool own = labels[prototypes[s]] == labels[i];
            if (own && distance < found.own) found.own_slot = s;
            float& side = own ? found.own : found.other;
            side = std::min(side, distance);
        }
        const float a = std::sqrt(found.own);
        const float b = std::sqrt(found.other);
        const auto sharpness = static_cast<float>(settings.sharpness);
        found.loss =
            1.0F / (1.0F + dsir::numeric::portable_exp_float(-sharpness * ((a - b) / (a + b))));
        return found;
    };
    const std::uint64_t seed = dsir::numeric::mixed(settings.seed, 0);
    std::uint64_t draws = 0;
    const auto uniform = [&] {
        return static_cast<double>(dsir::numeric::mixed(seed, draws++) >> 11) * 0x1p-53;
    };
    const auto tries = settings.passes * static_cast<double>(prototypes.size());
    for (std::int64_t t = 0; t < static_cast<std::int64_t>(tries); ++t) {
        const auto slot =
            static_cast<std::size_t>(uniform() * static_cast<double>(prototypes.size()));
        const bool local = uniform() < settings.local;
        std::vector<Nearest> before;
        std::vector<std::int32_t> pool;
        for (const std::int32_t i : order) {
            before.push_back(nearest_of(i));
            if (labels[i] == labels[prototypes[slot]] && allowed[i] != 0 &&
                (!local || before.back().own_slot == slot)) {
                pool.push_back(i);
            }
        }
        const double place = uniform();
        if (pool.empty()) continue;
        const std::int32_t candidate =
            pool[static_cast<std::size_t>(place * static_cast<double>(pool.size()))];
        if (std::find(prototypes.begin(), prototypes.end(), candidate) != prototypes.end())
            continue;
        const std::int32_t old = prototypes[slot];
        prototypes[slot] = candidate;
        double change = 0;
        for (std::size_t k = 0; k < order.size(); ++k) {
            const Nearest after = nearest_of(order[k]);
            if (after.own == before[k].own && after.other == before[k].other) continue;
            change += double{after.loss} - double{before[k].loss};
        }
        if (!(change < -1e-6)) prototypes[slot] = old;
    }
    return prototypes;
}

TEST(exchanges_are_those_of_a_search_without_memory) {
    Random random(15);
    for (int run = 0; run < 6; ++run) {
        const auto size = static_cast<std::int64_t>(60 + random.below(90));
        const auto width = static_cast<std::int64_t>(1 + random.below(6));
        const auto classes = 2 + random.below(3);
        const auto values = random_values(random, static_cast<std::size_t>(size * width));
        const DenseRows rows{size, width, values.data()};
        std::vector<std::int32_t> labels, members, first;
        std::vector<std::uint8_t> allowed;
        for (std::int32_t i = 0; i < size; ++i) {
            members.push_back(i);
            labels.push_back(static_cast<std::int32_t>(random.below(classes)));
            allowed.push_back(random.below(5) != 0 ? 1 : 0);
        }
        for (std::uint64_t c = 0; c < classes; ++c) {
            labels[c] = static_cast<std::int32_t>(c);
            first.push_back(static_cast<std::int32_t>(c));
        }
        for (std::int32_t i = static_cast<std::int32_t>(classes); i < size; i += 3 + 2 * run) {
            first.push_back(i);
        }
        const Exchange settings{12.0, 10.0, 0.6, static_cast<std::uint64_t>(run)};
        const std::vector<std::int64_t> offsets{0, size};
        const std::vector<std::int64_t> ends{0, static_cast<std::int64_t>(first.size())};
        std::vector<std::int32_t> found = first;
        std::vector<double> losses(2);
        exchange_prototypes(rows, labels.data(), allowed.data(),
                            {members.data(), offsets.data(), 1}, ends.data(), found.data(),
                            losses.data(), settings, 1);
        CHECK(found != first);
        CHECK_EQUAL(found, exchanged_naively(rows, labels, allowed, first, settings));
        const Parts parts{members.data(), offsets.data(), 1};
        // Without a start no row has a reach, and all rows outgrow it.
        for (const bool started : {true, false}) {
            std::vector<NearRows::Start> starts;
            if (started) starts.push_back({first.data(), ends.data()});
            const NearRows near(rows, labels.data(), parts, starts, 1 << 20, 2);
            CHECK_EQUAL(near.entries() > 0, started);
            std::vector<std::int32_t> listed = first;
            exchange_prototypes(rows, labels.data(), allowed.data(), parts, ends.data(),
                                listed.data(), losses.data(), settings, 1, &near);
            CHECK_EQUAL(listed, found);
        }
    }
}

TEST(a_row_knows_its_two_nearest_prototypes_or_says_that_it_does_not) {
    constexpr float kFar = std::numeric_limits<float>::infinity();
    Random random(16);
    for (const std::int32_t count : {1, 5, 16, 40}) {
        // Few distances differ, so that slots decide among equal ones.
        const std::int32_t places = 60;
        std::vector<float> away;
        for (std::int32_t p = 0; p < places; ++p) {
            away.push_back(static_cast<float>(random.below(30)));
        }
        std::vector<std::int32_t> place_of(static_cast<std::size_t>(count));
        std::vector<std::int32_t> slots(places + 1, -1);
        std::iota(place_of.begin(), place_of.end(), 0);
        const std::int64_t panels = (count + dsir::simd::kPanelRows - 1) / dsir::simd::kPanelRows;
        std::vector<float> distances(static_cast<std::size_t>(panels * dsir::simd::kPanelRows),
                                     kFar);
        for (std::int32_t s = 0; s < count; ++s) {
            slots[s] = s;
            distances[s] = away[s];
        }
        FewNearest few;
        few.resize(places);
        int known = 0;
        few.fill(1, distances.data(), panels, place_of.data(), count == 40 ? 9.0F : kFar);
        for (int step = 0; step < 200; ++step) {
            dsir::simd::LeastTwo expected{kFar, kFar, -1, -1}, found{};
            for (std::int32_t s = 0; s < count; ++s) distances[s] = away[place_of[s]];
            dsir::simd::panel_kernels(dsir::simd::Level::scalar)
                .offer_all(distances.data(), 0, count, &expected);
            if (few.two_nearest(1, slots.data(), found)) {
                ++known;
                CHECK_EQUAL(found.first, expected.first);
                CHECK_EQUAL(found.first_number, expected.first_number);
                CHECK_EQUAL(found.second, expected.second);
                CHECK_EQUAL(found.second_number, expected.second_number);
            } else {
                few.fill(1, distances.data(), panels, place_of.data(), kFar);
            }
            const auto slot = static_cast<std::int32_t>(random.below(count));
            const auto place = static_cast<std::int32_t>(random.below(places));
            if (slots[place] >= 0) continue;
            slots[place_of[slot]] = -1;
            slots[place] = slot;
            place_of[slot] = place;
            if (away[place] < few.bounds()[1]) few.offer(1, place, away[place], slots.data());
        }
        CHECK(known > 100);
    }
}

/// Lloyd's steps from the same seeds as cluster_prototypes, without any memory of earlier steps.
std::vector<std::int32_t> clustered_naively(const DenseRows& rows, std::int64_t k,
                                            std::int64_t iterations, std::uint64_t seed) {
    const auto width = static_cast<std::size_t>(rows.width);
    const auto size = static_cast<std::size_t>(rows.size);
    const auto distance = [&](const float* a, const float* b) {
        float sum = 0;
        for (std::size_t f = 0; f < width; ++f) sum += (a[f] - b[f]) * (a[f] - b[f]);
        return sum;
    };
    const auto row = [&](std::size_t i) { return rows.values + i * width; };
    std::vector<float> centres, least(size, 1.0F);
    std::uint64_t draws = 0;
    int tries = 2;
    for (std::int64_t left = k; left > 1; left >>= 2) ++tries;
    for (std::int64_t c = 0; c < k; ++c) {
        double total = 0;
        for (const float d : least) total += double{d};
        std::size_t chosen = size;
        double best = 0;
        for (int t = 0; t < (c == 0 ? 1 : tries); ++t) {
            const double uniform =
                static_cast<double>(dsir::numeric::mixed(seed, draws++) >> 11) * 0x1p-53 * total;
            double sum = 0;
            std::size_t at = 0;
            for (; at < size - 1; ++at) {
                sum += double{least[at]};
                if (sum > uniform) break;
            }
            double left = 0;
            for (std::size_t i = 0; i < size; ++i) {
                const float away = distance(row(i), row(at));
                left += double{c == 0 ? away : std::min(least[i], away)};
            }
            if (chosen < size && !(left < best)) continue;
            chosen = at;
            best = left;
        }
        for (std::size_t i = 0; i < size; ++i) {
            const float away = distance(row(i), row(chosen));
            least[i] = c == 0 ? away : std::min(least[i], away);
        }
        centres.insert(centres.end(), row(chosen), row(chosen) + width);
    }
    const auto clusters = static_cast<std::size_t>(k);
    std::vector<std::size_t> nearest(size, clusters);
    for (std::int64_t step = 0; step < iterations; ++step) {
        bool changed = false;
        std::vector<double> sums(centres.size()), counts(clusters);
        for (std::size_t i = 0; i < size; ++i) {
            std::size_t best = 0;
            for (std::size_t c = 1; c < clusters; ++c) {
                if (distance(row(i), &centres[c * width]) <
                    distance(row(i), &centres[best * width])) {
                    best = c;
                }
            }
            changed = changed || best != nearest[i];
            nearest[i] = best;
            counts[best] += 1;
            for (std::size_t f = 0; f < width; ++f) sums[best * width + f] += double{row(i)[f]};
        }
        if (!changed) break;
        for (std::size_t at = 0; at < centres.size(); ++at) {
            const double count = counts[at / width];
            if (count > 0) centres[at] = static_cast<float>(sums[at] / count);
        }
    }
    std::vector<std::int32_t> found;
    for (std::size_t c = 0; c < clusters; ++c) {
        std::size_t best = size;
        for (std::size_t i = 0; i < size; ++i) {
            const bool is_taken =
                std::find(found.begin(), found.end(), static_cast<std::int32_t>(i)) != found.end();
            if (is_taken) continue;
            if (best == size ||
                distance(&centres[c * width], row(i)) < distance(&centres[c * width], row(best))) {
                best = i;
            }
        }
        found.push_back(static_cast<std::int32_t>(best));
    }
    return found;
}

TEST(clusters_are_those_of_steps_without_memory) {
    Random random(17);
    for (int run = 0; run < 12; ++run) {
        const auto size = static_cast<std::int64_t>(40 + random.below(150));
        const auto width = static_cast<std::int64_t>(1 + random.below(5));
        const auto k = static_cast<std::int64_t>(1 + random.below(37));
        auto values = random_values(random, static_cast<std::size_t>(size * width));
        // Rows that are equally far from several centres.
        if (run % 2 == 0) {
            for (float& value : values) value = std::round(value * 2);
        }
        const DenseRows rows{size, width, values.data()};
        std::vector<std::int32_t> members(static_cast<std::size_t>(size));
        std::iota(members.begin(), members.end(), 0);
        const std::vector<std::int64_t> offsets{0, size};
        for (const std::int64_t iterations : {1, 3, 30}) {
            const auto found =
                cluster_prototypes(rows, {members.data(), offsets.data(), 1}, &k, iterations, 7, 1);
            CHECK_EQUAL(found, clustered_naively(rows, k, iterations, dsir::numeric::mixed(7, 0)));
        }
    }
}

TEST(near_rows_are_those_within_reach) {
    // One class at 0, 1, 2, ..., 9, and another at 20, 21, ..., 29; 0, 4 and 20 are prototypes.
    std::vector<float> values;
    std::vector<std::int32_t> labels, members;
    for (std::int32_t i = 0; i < 20; ++i) {
        values.push_back(static_cast<float>(i < 10 ? i : i + 10));
        labels.push_back(i < 10 ? 0 : 1);
        members.push_back(19 - i);
    }
    const DenseRows rows{20, 1, values.data()};
    const std::vector<std::int64_t> offsets{0, 20}, ends{0, 3};
    const std::vector<std::int32_t> prototypes{0, 4, 10};
    const Parts parts{members.data(), offsets.data(), 1};
    const NearRows near(rows, labels.data(), parts, {{prototypes.data(), ends.data()}}, 1000, 1);
    // Places are ordered by class, and then as the members are: place k is the row at 9 - k.
    const std::vector<float> own{81, 64, 49, 36, 25, 16, 9, 4, 9, 16};
    CHECK_EQUAL(std::vector<float>(near.own_reach(0), near.own_reach(0) + 10), own);
    CHECK_EQUAL(near.other_reach(0)[10], 29.0F * 29.0F);
    // Of the other class there is one prototype, and so no second nearest.
    CHECK(std::isinf(near.other_reach(0)[0]));
    const NearRows::List list = near.of(0, 0);
    const std::vector<std::int32_t> within{0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    CHECK_EQUAL(std::vector<std::int32_t>(list.places, list.places + list.size), within);
    CHECK_EQUAL(std::vector<float>(list.distances, list.distances + 6),
                std::vector<float>{0, 1, 4, 9, 16, 400});
    CHECK(!NearRows(rows, labels.data(), parts, {{prototypes.data(), ends.data()}}, 10, 1).known());
    const std::vector<std::int64_t> two{0, 10, 20};
    CHECK(!near.fits({members.data(), two.data(), 2}));
}

TEST(a_part_of_one_class_stays_as_it_is) {
    const std::vector<float> values{0, 1, 2, 3};
    const DenseRows rows{4, 1, values.data()};
    const std::vector<std::int32_t> labels{0, 0, 0, 0}, members{0, 1, 2, 3};
    const std::vector<std::uint8_t> allowed(4, 1);
    const std::vector<std::int64_t> offsets{0, 4}, ends{0, 1};
    std::vector<std::int32_t> chosen{2};
    std::vector<double> losses(2);
    exchange_prototypes(rows, labels.data(), allowed.data(), {members.data(), offsets.data(), 1},
                        ends.data(), chosen.data(), losses.data(), {5.0, 10.0, 0.5, 0}, 1);
    CHECK_EQUAL(chosen[0], 2);
    CHECK_EQUAL(losses[1], 0.0);
}

}  // namespace
