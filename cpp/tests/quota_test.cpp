#include "sampling/quota_search.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <unordered_set>

#include "check.hpp"
#include "hashing/content_hash.hpp"
#include "sampling/first_seen.hpp"
#include "sampling/threshold_search.hpp"
#include "text_array.hpp"

namespace {

using namespace dsir::sampling;
using dsir::test::Random;

/// Documents in two columns of groups.
struct World {
    World(std::size_t size, std::uint32_t groups, Random& random) {
        for (std::size_t i = 0; i < size; ++i) {
            log_weight.push_back(random.uniform() * 20);
            eligible.push_back(random.below(10) != 0 ? 1 : 0);
            cost.push_back(static_cast<std::uint32_t>(1 + random.below(50)));
        }
        for (std::size_t i = 0; i < 2 * size; ++i) {
            codes.push_back(static_cast<std::uint32_t>(random.below(groups)));
        }
    }
    std::int64_t size() const { return static_cast<std::int64_t>(cost.size()); }
    Documents documents() const {
        return {log_weight.data(), eligible.data(), cost.data(), size(), 0};
    }
    std::vector<double> log_weight;
    std::vector<std::uint8_t> eligible;
    std::vector<std::uint32_t> cost;
    std::vector<std::uint32_t> codes;
};

/// The rule as a loop over all documents, sorted.
std::vector<std::int64_t> in_a_loop(const World& world, const KeySettings& settings,
                                    std::uint64_t budget, std::vector<Quota> quotas) {
    std::vector<std::int64_t> order(world.cost.size());
    std::iota(order.begin(), order.end(), 0);
    const auto rank = [&](std::int64_t i) {
        return rank_of(settings, world.log_weight[i], static_cast<std::uint64_t>(i));
    };
    std::sort(order.begin(), order.end(),
              [&](std::int64_t a, std::int64_t b) { return rank(a) > rank(b); });
    std::map<std::pair<std::size_t, std::uint32_t>, bool> closed;
    std::vector<std::int64_t> taken;
    for (const std::int64_t i : order) {
        if (world.eligible[i] == 0) continue;
        bool passed_over = false;
        bool room = true;
        for (std::size_t c = 0; c < quotas.size(); ++c) {
            const std::uint32_t group = world.codes[c * world.cost.size() + i];
            passed_over = passed_over || closed[{c, group}];
        }
        if (passed_over) continue;
        for (std::size_t c = 0; c < quotas.size(); ++c) {
            const std::uint32_t group = world.codes[c * world.cost.size() + i];
            if ((quotas[c].in_rows ? 1 : world.cost[i]) <= quotas[c].room[group]) continue;
            closed[{c, group}] = true;
            room = false;
        }
        if (!room) continue;
        if (world.cost[i] > budget) break;
        budget -= world.cost[i];
        taken.push_back(i);
        for (std::size_t c = 0; c < quotas.size(); ++c) {
            const std::uint32_t group = world.codes[c * world.cost.size() + i];
            quotas[c].room[group] -= quotas[c].in_rows ? 1 : world.cost[i];
            if (quotas[c].in_rows && quotas[c].room[group] == 0) closed[{c, group}] = true;
        }
    }
    std::sort(taken.begin(), taken.end());
    return taken;
}

std::vector<std::int64_t> found_by(const QuotaSearch& search, const World& world,
                                   const KeySettings& settings) {
    std::vector<std::int64_t> found =
        selected_positions(settings, search.threshold(), world.documents());
    for (std::size_t c = 0; c < search.columns(); ++c) {
        std::erase_if(found, [&](std::int64_t i) {
            const Rank rank = rank_of(settings, world.log_weight[i], static_cast<std::uint64_t>(i));
            return rank < search.closing(c)[world.codes[c * world.cost.size() + i]];
        });
    }
    return found;
}

TEST(it_is_the_rule_for_any_capacity_and_threads) {
    Random random(7);
    const World world(30'000, 300, random);
    for (const bool noise : {false, true}) {
        const KeySettings settings{3, 1, 1.5, noise};
        for (const std::uint64_t budget : {0ULL, 5'000ULL, 60'000ULL, 1ULL << 40}) {
            std::vector<Quota> quotas{{std::vector<std::uint64_t>(300, 20), true},
                                      {std::vector<std::uint64_t>(300, 700), false}};
            quotas[0].room[0] = 0;
            quotas[1].room[1] = 0;
            const auto expected = in_a_loop(world, settings, budget, quotas);
            for (const std::size_t capacity : {std::size_t{100}, std::size_t{1} << 20}) {
                for (const unsigned threads : {1U, 3U}) {
                    QuotaSearch search(settings, budget, quotas, capacity);
                    while (!search.done()) {
                        search.add(world.documents(), {world.codes.data(), world.size()}, threads);
                        search.end_pass();
                    }
                    CHECK_EQUAL(search.selected(), expected.size());
                    CHECK(found_by(search, world, settings) == expected);
                }
            }
        }
    }
}

TEST(hashes_of_parts_are_all_hashes) {
    Random random(1);
    std::vector<std::uint64_t> hashes;
    for (int i = 0; i < 30'000; ++i) hashes.push_back(random.word() % 20'000 << 49);
    hashes[7] = hashes[70] = 0;
    const std::vector<std::uint8_t> eligible(hashes.size(), 1);
    for (const std::uint32_t parts : {1U, 2U, 7U}) {
        std::vector<std::uint8_t> repeated(hashes.size());
        for (std::uint32_t part = 0; part < parts; ++part) {
            FirstSeen seen(part, parts, 10);
            seen.add(hashes.data(), eligible.data(), static_cast<std::int64_t>(hashes.size()),
                     repeated.data());
        }
        std::unordered_set<std::uint64_t> known;
        bool equal = true;
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            equal = equal && repeated[i] == (known.insert(hashes[i]).second ? 0 : 1);
        }
        CHECK(equal);
    }
}

/// Every text ends where its memory ends: no byte after it may be read.
TEST(content_hashes_read_no_further_than_the_text) {
    dsir::test::Rows rows{std::nullopt};
    for (std::size_t length = 0; length < 50; ++length) rows.push_back(std::string(length, 'x'));
    for (const auto& row : rows) {
        const auto array = dsir::test::TextArray::strings({row});
        std::uint64_t hash = 0;
        dsir::hashing::content_hashes(array->column(), 1, &hash);
        CHECK_EQUAL(hash, dsir::hashing::content_hash(row.value_or("")));
    }
    CHECK(dsir::hashing::content_hash("") != dsir::hashing::content_hash(std::string(1, '\0')));
}

}  // namespace
