#include "simd/pair_counts.hpp"

#include <algorithm>
#include <vector>

#include "check.hpp"
#include "hashing/fast_hash.hpp"

namespace {

using namespace dsir::simd;
using dsir::test::Random;
using dsir::test::rounds;

constexpr std::size_t kNumbers = 3000;

/// What the tables say: how often each number is the second of a pair, and the buckets of pairs.
struct Totals {
    std::vector<std::uint64_t> seconds = std::vector<std::uint64_t>(kNumbers);
    std::vector<std::int64_t> buckets;
};

TEST(pairs_of_every_level) {
    Random random(43);
    std::vector<std::uint64_t> hashes(kNumbers);
    for (std::uint64_t& hash : hashes) hash = random.below(~0ULL);
    for (int round = 0; round < rounds(200); ++round) {
        const auto buckets = static_cast<std::uint32_t>(1 + random.below(5000));
        // Small numbers alone, few of them, many, none; and a single number.
        const std::size_t small_of_16 = random.below(17);
        std::vector<std::uint16_t> numbers(1 + random.below(round % 4 == 0 ? 70 : 3000));
        for (std::uint16_t& number : numbers) {
            const bool small = random.below(16) < small_of_16;
            number = static_cast<std::uint16_t>(small ? random.below(kSmallNumbers)
                                                      : 200 + random.below(kNumbers - 200));
        }
        const std::size_t pairs = numbers.size() - 1;
        Totals expected;
        expected.buckets.resize(buckets);
        const auto bucket_of = [&](std::size_t first, std::size_t second) {
            return dsir::hashing::bucket_of(
                dsir::hashing::extend_hash(hashes[first], hashes[second]), buckets);
        };
        for (std::size_t k = 0; k < pairs; ++k) {
            ++expected.seconds[numbers[k + 1]];
            ++expected.buckets[bucket_of(numbers[k], numbers[k + 1])];
        }
        for (const Level level : levels_up_to_active()) {
            for (const bool listed : {false, true}) {
                std::vector<std::uint32_t> even(kSmallNumbers * kSmallNumbers);
                std::vector<std::uint32_t> odd(kSmallNumbers * kSmallNumbers);
                Totals totals;
                totals.buckets.resize(buckets);
                std::vector<std::uint32_t> found(pairs);
                const PairTables tables{{even.data(), odd.data()},
                                        totals.seconds.data(),
                                        hashes.data(),
                                        buckets,
                                        listed ? nullptr : totals.buckets.data()};
                const std::size_t size =
                    count_pairs_kernel(level)(numbers.data(), pairs, tables, found.data());
                CHECK(size <= (listed ? pairs : 0));
                for (std::size_t i = 0; i < size; ++i) ++totals.buckets[found[i]];
                for (std::size_t second = 0; second < kSmallNumbers; ++second) {
                    for (std::size_t first = 0; first < kSmallNumbers; ++first) {
                        const std::size_t at = first + kSmallNumbers * second;
                        const std::uint64_t times = std::uint64_t{even[at]} + odd[at];
                        totals.seconds[second] += times;
                        totals.buckets[bucket_of(first, second)] +=
                            static_cast<std::int64_t>(times);
                    }
                }
                CHECK(totals.seconds == expected.seconds);
                CHECK(totals.buckets == expected.buckets);
            }
        }
    }
}

}  // namespace
