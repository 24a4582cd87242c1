#include <algorithm>
#include <limits>

#include "check.hpp"
#include "numeric/philox.hpp"
#include "sampling/keys.hpp"
#include "sampling/threshold_guess.hpp"
#include "sampling/threshold_search.hpp"
#include "simd/philox_rows.hpp"

namespace {

using namespace dsir::sampling;
using dsir::test::Random;
using dsir::test::rounds;

/// A population, and what a search over it must find.
struct Population {
    std::vector<double> log_weight;
    std::vector<std::uint8_t> eligible;
    std::vector<std::uint32_t> cost;  ///< empty: 1 each
    std::uint64_t first_row = 0;

    Documents part(std::size_t begin, std::size_t end) const {
        return {log_weight.data() + begin, eligible.data() + begin,
                cost.empty() ? nullptr : cost.data() + begin,
                static_cast<std::int64_t>(end - begin), first_row + begin};
    }
    std::size_t size() const { return log_weight.size(); }
};

struct Selection {
    std::vector<std::int64_t> positions;
    std::uint64_t selected = 0;
    std::uint64_t cost = 0;
    std::uint64_t next_cost = 0;
    bool operator==(const Selection&) const = default;
};

/// All eligible documents, by descending key, and among equal keys by row.
std::vector<std::size_t> sorted_rows(const Population& population, const KeySettings& settings) {
    std::vector<std::size_t> order;
    std::vector<double> keys;
    for (std::size_t i = 0; i < population.size(); ++i) {
        if (population.eligible[i] != 0) order.push_back(i);
        keys.push_back(key_of(settings, population.log_weight[i], population.first_row + i));
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return keys[a] > keys[b]; });
    return order;
}

/// The first of these documents, as long as the budget lasts.
Selection first_of(const std::vector<std::size_t>& order, const Population& population,
                   std::uint64_t budget) {
    Selection selection;
    for (const std::size_t i : order) {
        const std::uint64_t cost = population.cost.empty() ? 1 : population.cost[i];
        if (selection.cost + cost > budget) {
            selection.next_cost = cost;
            break;
        }
        selection.cost += cost;
        ++selection.selected;
        selection.positions.push_back(static_cast<std::int64_t>(i));
    }
    std::sort(selection.positions.begin(), selection.positions.end());
    return selection;
}

Selection select_by_sorting(const Population& population, const KeySettings& settings,
                            std::uint64_t budget) {
    return first_of(sorted_rows(population, settings), population, budget);
}

/// The search over runs that end at `cuts`; with `backwards` the last run comes first.
Selection select_by_search(const Population& population, const KeySettings& settings,
                           std::uint64_t budget, std::size_t capacity,
                           const std::vector<std::size_t>& cuts, bool backwards, unsigned threads,
                           unsigned* passes = nullptr) {
    std::vector<Documents> runs;
    std::size_t begin = 0;
    for (const std::size_t end : cuts) {
        runs.push_back(population.part(begin, end));
        begin = end;
    }
    runs.push_back(population.part(begin, population.size()));
    if (backwards) std::reverse(runs.begin(), runs.end());
    ThresholdSearch search(settings, budget, capacity);
    while (!search.done() && search.passes() < 20) {
        for (const Documents& run : runs) search.add(run, threads);
        search.end_pass();
    }
    CHECK(search.done());
    CHECK(search.passes() <= 9);
    if (passes != nullptr) *passes = search.passes();
    Selection selection;
    selection.selected = search.selected();
    selection.cost = search.cost();
    selection.next_cost = search.next_cost();
    selection.positions = selected_positions(settings, search.threshold(),
                                             population.part(0, population.size()), threads);
    return selection;
}

/// The search finds the same as sorting everything, for every number of threads.
void check_selection(const Population& population, const KeySettings& settings,
                     std::uint64_t budget, std::size_t capacity,
                     const std::vector<std::size_t>& cuts, bool backwards,
                     const std::vector<unsigned>& thread_counts = {1}) {
    const Selection expected = select_by_sorting(population, settings, budget);
    for (const unsigned threads : thread_counts) {
        const Selection found =
            select_by_search(population, settings, budget, capacity, cuts, backwards, threads);
        const std::string context =
            std::to_string(population.size()) + " documents, budget " + std::to_string(budget) +
            ", capacity " + std::to_string(capacity) + ", threads " + std::to_string(threads);
        CHECK_EQUAL_FOR(context, found.positions, expected.positions);
        CHECK_EQUAL_FOR(context, found.selected, expected.selected);
        CHECK_EQUAL_FOR(context, found.cost, expected.cost);
        CHECK_EQUAL_FOR(context, found.next_cost, expected.next_cost);
    }
}

/// Weights of few values (ties) or of many. Some documents are not eligible; costs if asked for.
Population random_population(Random& random, std::size_t size, bool ties, bool costs) {
    Population population;
    for (std::size_t i = 0; i < size; ++i) {
        const double tied[] = {-1.5, -0.0, 0.0, 2.0};
        population.log_weight.push_back(ties ? tied[random.below(4)]
                                             : 100 * (random.uniform() - 0.5));
        population.eligible.push_back(random.below(5) != 0 ? 1 : 0);
        if (costs) population.cost.push_back(static_cast<std::uint32_t>(random.below(6)));
    }
    population.first_row = random.below(2) == 0 ? 0 : random.word() >> 1;
    return population;
}

constexpr std::size_t kBig = ThresholdSearch::kDefaultCapacity;

TEST(search_equals_sorting) {
    Random random(20);
    for (const std::size_t size : {0, 1, 2, 3, 8, 20, 40}) {
        for (const std::size_t capacity : {std::size_t{1}, std::size_t{2}, std::size_t{7}, kBig}) {
            for (const bool costs : {false, true}) {
                const bool ties = random.below(2) == 0;
                const Population population = random_population(random, size, ties, costs);
                const KeySettings settings{random.word(), static_cast<std::uint32_t>(size), 1.0,
                                           random.below(2) == 0};
                const std::uint64_t most = costs ? 3 * size : size;
                const std::uint64_t step = (costs ? 3 : 1) * (dsir::test::kThreadSanitizer ? 7 : 1);
                for (std::uint64_t budget = 0; budget <= most + 1; budget += step) {
                    const std::size_t cut = random.below(size + 1);
                    check_selection(population, settings, budget, capacity, {cut},
                                    random.below(2) == 0);
                }
            }
        }
    }
}

TEST(equal_keys_are_taken_by_row) {
    Population population;
    for (int i = 0; i < 30; ++i) {
        population.log_weight.push_back(i % 3 == 0 ? 0.0 : -0.0);
        population.eligible.push_back(1);
    }
    const KeySettings settings{0, 0, 1.0, false};
    // Rows that differ in their lowest digits and in their higher ones.
    for (const std::uint64_t first_row :
         {std::uint64_t{0}, std::uint64_t{65530}, (std::uint64_t{1} << 32) - 7,
          (std::uint64_t{1} << 48) - 9, ~std::uint64_t{0} - 40}) {
        population.first_row = first_row;
        for (const std::uint64_t budget : {0, 1, 5, 7, 29, 30, 31}) {
            for (const std::size_t capacity : {1, 4}) {
                check_selection(population, settings, budget, capacity, {11}, false);
            }
        }
        const auto taken = select_by_search(population, settings, 3, 1, {}, false, 1);
        CHECK_EQUAL(taken.positions, std::vector<std::int64_t>{0, 1, 2});
    }
}

TEST(any_split_and_any_order_of_the_runs) {
    Random random(21);
    const Population population = random_population(random, 60, true, true);
    const KeySettings settings{7, 0, 1.0, true};
    for (int i = 0; i < rounds(200); ++i) {
        std::vector<std::size_t> cuts;
        for (std::size_t k = random.below(6); k > 0; --k) cuts.push_back(random.below(61));
        std::sort(cuts.begin(), cuts.end());
        check_selection(population, settings, random.below(120), 1 + random.below(10), cuts,
                        random.below(2) == 0);
    }
}

TEST(extreme_keys_and_costs) {
    Population population;
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    population.log_weight = {1e308, -1e308, kInfinity, -kInfinity, 0.0, 5e-324};
    population.eligible = {1, 1, 1, 1, 1, 1};
    const KeySettings settings{1, 0, 0.5, false};
    for (std::uint64_t budget = 0; budget <= 7; ++budget) {
        for (const std::size_t capacity : {1, 100}) {
            check_selection(population, settings, budget, capacity, {}, false);
        }
    }
    population.cost = {0xFFFFFFFF, 0, 0xFFFFFFFF, 0, 0xFFFFFFFF, 0xFFFFFFFF};
    for (const std::uint64_t budget :
         {std::uint64_t{0}, std::uint64_t{0xFFFFFFFE}, std::uint64_t{0xFFFFFFFF},
          std::uint64_t{0x1FFFFFFFE}, ~std::uint64_t{0}}) {
        for (const std::size_t capacity : {1, 100}) {
            check_selection(population, settings, budget, capacity, {3}, true);
        }
    }
    // No document is eligible.
    population.eligible.assign(6, 0);
    check_selection(population, settings, 3, 1, {}, false);
}

TEST(threads_and_passes) {
    Random random(22);
    // So many documents that add() uses its threads.
    const Population population = random_population(random, 150000, false, true);
    const Population tied = random_population(random, 70000, true, false);
    const KeySettings noisy{11, 2, 3.0, true};
    const KeySettings plain{11, 2, 3.0, false};
    const std::vector<unsigned> threads = {1, 2, 7};
    check_selection(population, noisy, 100000, 1000, {70000}, false, threads);
    check_selection(population, noisy, 100000, kBig, {}, false, threads);
    check_selection(population, noisy, 10000000, 1000, {}, false, threads);  // all fit
    check_selection(tied, plain, 20000, 50, {}, false, threads);
    // What the header promises: one pass up to the capacity, two or three beyond.
    unsigned passes = 0;
    select_by_search(population, noisy, 100000, kBig, {}, false, 2, &passes);
    CHECK_EQUAL(passes, 1);
    select_by_search(population, noisy, 100000, 1000, {}, false, 2, &passes);
    CHECK(passes >= 2 && passes <= 3);
}

TEST(one_pass_where_the_budget_is_small) {
    Random random(22);
    const Population population = random_population(random, 600'000, false, false);
    const KeySettings settings{5, 0, 1.0, true};
    const Selection expected = select_by_sorting(population, settings, 500);
    for (const unsigned threads : {1U, 3U}) {
        unsigned passes = 0;
        const Selection found =
            select_by_search(population, settings, 500, kBig, {}, false, threads, &passes);
        CHECK(found == expected);
        CHECK_EQUAL(passes, 1U);
    }
}

/// The search with the expectation that the budget runs out inside the bracket.
Selection select_as_expected(const Population& population, const KeySettings& settings,
                             std::uint64_t budget, std::size_t capacity, const Bracket& bracket,
                             unsigned threads, unsigned* passes) {
    ThresholdSearch search(settings, budget, capacity);
    search.expect(bracket);
    const std::size_t half = population.size() / 2;
    while (!search.done() && search.passes() < 20) {
        search.add(population.part(half, population.size()), threads);
        search.add(population.part(0, half), threads);
        search.end_pass();
    }
    CHECK(search.done());
    *passes = search.passes();
    return {selected_positions(settings, search.threshold(), population.part(0, population.size()),
                               threads),
            search.selected(), search.cost(), search.next_cost()};
}

TEST(any_expectation_finds_the_same) {
    Random random(23);
    for (int i = 0; i < rounds(300); ++i) {
        const std::size_t size = 1 + random.below(60);
        const Population population =
            random_population(random, size, random.below(2) == 0, random.below(2) == 0);
        const KeySettings settings{random.word(), 0, 1.0, random.below(2) == 0};
        const auto a_key = [&] {
            if (random.below(8) == 0) return random.word();
            const std::size_t at = random.below(size);
            return rank_of(settings, population.log_weight[at], population.first_row + at).key;
        };
        const std::uint64_t budget = random.below(2 * size);
        const Selection expected = select_by_sorting(population, settings, budget);
        for (int k = 0; k < 5; ++k) {
            const std::uint64_t one = a_key();
            const std::uint64_t other = a_key();
            const Bracket bracket{std::min(one, other), std::max(one, other)};
            unsigned passes = 0;
            const Selection found = select_as_expected(population, settings, budget,
                                                       1 + random.below(30), bracket, 1, &passes);
            CHECK(found == expected);
            CHECK(passes <= 10);
        }
    }
}

TEST(a_guess_saves_passes) {
    Random random(24);
    for (const bool costs : {false, true}) {
        const Population population = random_population(random, 400'000, false, costs);
        for (const double temperature : {1.0, 30.0}) {
            const KeySettings settings{random.word(), 1, temperature, true};
            const std::vector<std::size_t> order = sorted_rows(population, settings);
            for (const std::uint64_t budget : {1, 300, 30'000, 200'000}) {
                const Selection expected = first_of(order, population, budget);
                ThresholdGuess guess(settings, budget, population.size(), 20'000);
                guess.add(population.part(0, 123'457));
                guess.add(population.part(123'457, population.size()));
                const auto bracket = guess.bracket();
                CHECK(bracket.has_value());
                CHECK(bracket->least < bracket->above);
                for (const unsigned threads : {1U, 3U}) {
                    unsigned passes = 0;
                    const Selection found = select_as_expected(population, settings, budget, 40'000,
                                                               *bracket, threads, &passes);
                    CHECK(found == expected);
                    CHECK_EQUAL(passes, 1U);
                }
            }
            // A budget for more than there is: there is nothing to guess.
            ThresholdGuess all(settings, 3'000'000, population.size(), 20'000);
            all.add(population.part(0, population.size()));
            CHECK(!all.bracket().has_value());
        }
    }
}

TEST(a_guess_looks_at_a_share_of_the_rows) {
    const std::vector<double> falling = [] {
        std::vector<double> values;
        for (int i = 0; i < 1'000'000; ++i) values.push_back(-i);
        return values;
    }();
    const KeySettings plain{0, 0, 1.0, false};
    ThresholdGuess guess(plain, 500'000, falling.size(), 10'000);
    guess.add({falling.data(), nullptr, nullptr, 1'000'000, 0});
    const auto bracket = guess.bracket();
    CHECK(bracket.has_value());
    const std::uint64_t middle = ordered_bits(-500'000.0);
    CHECK(bracket->least < middle && middle < bracket->above);
    CHECK(bracket->least > ordered_bits(-600'000.0));
    CHECK(bracket->above < ordered_bits(-400'000.0));
    // The last possible rows.
    ThresholdGuess last(plain, 10, 100, 10);
    last.add({falling.data(), nullptr, nullptr, 100, ~std::uint64_t{0} - 100});
    CHECK(!last.bracket().has_value());
}

}  // namespace
