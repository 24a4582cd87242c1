#include <cmath>
#include <limits>

#include "check.hpp"
#include "numeric/philox.hpp"
#include "sampling/key_filter.hpp"
#include "sampling/keys.hpp"
#include "simd/philox_rows.hpp"

namespace {

using namespace dsir::sampling;
using dsir::numeric::philox4x32;
using dsir::test::Random;
using Words = std::array<std::uint32_t, 4>;

TEST(philox_known_answers) {
    // From Random123's file kat_vectors.
    CHECK_EQUAL(philox4x32({0, 0, 0, 0}, {0, 0}),
                Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    constexpr std::uint32_t kOnes = 0xffffffff;
    CHECK_EQUAL(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
                Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK_EQUAL(
        philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST(philox_of_many_rows) {
    Random random(19);
    for (const std::size_t count : {0, 1, 3, 4, 5, 64, 101}) {
        const dsir::simd::PhiloxSettings settings{random.word(),
                                                  static_cast<std::uint32_t>(random.word())};
        const std::uint64_t first_row = random.word() >> random.below(64);
        std::vector<std::uint32_t> offsets(count);
        for (std::uint32_t& offset : offsets) {
            offset = static_cast<std::uint32_t>(random.word() >> 32) >> random.below(32);
        }
        std::vector<std::uint32_t> words(count + 1, 7);
        const auto kernel = dsir::simd::philox_rows_kernel(dsir::simd::active_level());
        kernel(settings, first_row, offsets.data(), count, words.data());
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t row = first_row + offsets[i];
            const Words expected =
                philox4x32({static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32),
                            settings.third_word, 0},
                           {static_cast<std::uint32_t>(settings.key),
                            static_cast<std::uint32_t>(settings.key >> 32)});
            CHECK_EQUAL(words[i], expected[1]);
        }
        CHECK_EQUAL(words[count], 7U);
    }
}

TEST(gumbel_noise_is_pinned) {
    // From the implementation in tests/core/test_keys.py. A change here is a new file format.
    const struct {
        std::uint64_t seed;
        std::uint32_t target;
        std::uint64_t row;
        double noise;
    } golden[] = {
        {0x0, 0x0, 0x0, 0x1.07e484179cd9fp+1},
        {0x0, 0x0, 0x1, -0x1.01cd2beafc8c0p-6},
        {0x0, 0x0, 0x2, -0x1.0e71535ef9cd7p-3},
        {0x1, 0x0, 0x0, 0x1.190bbd0d0d8c8p+1},
        {0x0, 0x1, 0x0, 0x1.636d33f9fe517p+1},
        {0x100000000, 0x0, 0x0, 0x1.ea091e304c595p+1},
        {0x0, 0x0, 0x100000000, 0x1.3543f66398840p+1},
        {0x7048860ddf79, 0x3, 0x3824430f8500d, -0x1.d239cef43510ep-1},
        {0xffffffffffffffff, 0xffffffff, 0xffffffffffffffff, 0x1.17a308739d5acp+1},
    };
    for (const auto& [seed, target, row, noise] : golden) {
        const KeySettings settings{seed, target, 1.0, true};
        CHECK_EQUAL(gumbel(settings, row), noise);
        CHECK_EQUAL(key_of(settings, 0.0, row), noise);
        const KeySettings warm{seed, target, 4.0, true};
        CHECK_EQUAL(key_of(warm, 3.0, row), 0.75 + noise);
        const KeySettings plain{seed, target, 4.0, false};
        CHECK_EQUAL(key_of(plain, 3.0, row), 0.75);
    }
}

TEST(order_of_keys) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const std::vector<double> ascending = {-kInfinity, -1e308, -2.0,   -1.0, -1e-308, -5e-324,
                                           0.0,        5e-324, 1e-308, 1.0,  1e308,   kInfinity};
    for (std::size_t i = 1; i < ascending.size(); ++i) {
        CHECK(ordered_bits(ascending[i - 1]) < ordered_bits(ascending[i]));
    }
    CHECK_EQUAL(ordered_bits(-0.0), ordered_bits(0.0));
    const KeySettings plain{0, 0, 1.0, false};
    CHECK(rank_of(plain, 1.0, 5) > rank_of(plain, 1.0, 6));  // the smaller row first
    CHECK(rank_of(plain, 1.5, 6) > rank_of(plain, 1.0, 5));
    CHECK(rank_of(plain, -0.0, 5) > rank_of(plain, 0.0, 6));
}

TEST(noise_is_within_the_bounds_of_the_filter) {
    // The smallest and the largest random bits that exist, turned into noise as gumbel() does it.
    const auto noise = [](std::uint64_t bits) {
        const double uniform = (static_cast<double>(bits) + 0.5) * 0x1p-52;
        return -dsir::numeric::portable_log(-dsir::numeric::portable_log(uniform));
    };
    CHECK(noise(0) > -4.0);
    CHECK(noise((std::uint64_t{1} << 52) - 1) < 36.75);
}

TEST(filter_refuses_none_that_reaches_the_bar) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    Random random(21);
    for (const double scale : {0.0, 1e-3, 1.0, 30.0, 1e6, 1e9, 1e12, 1e17, 1e300}) {
        for (const double temperature : {1.0, 0.3, 1e9}) {
            const KeySettings settings{random.word(), 1, temperature, random.below(4) != 0};
            std::vector<double> log_weight;
            std::vector<double> keys;
            const std::uint64_t first_row = random.word() >> random.below(64);
            for (std::uint64_t i = 0; i < 2500; ++i) {
                log_weight.push_back(scale * (random.uniform() - 0.5));
                if (random.below(50) == 0) log_weight.back() = -kInfinity;
                keys.push_back(key_of(settings, log_weight.back(), first_row + i));
            }
            std::vector<double> bars = {-kInfinity, kInfinity, 0.0, 1e300};
            for (int i = 0; i < 20; ++i) {
                const double key = keys[random.below(keys.size())];
                bars.insert(bars.end(), {key, std::nextafter(key, kInfinity)});
            }
            const Documents documents{log_weight.data(), nullptr, nullptr, 2500, first_row};
            for (const double bar : bars) {
                std::vector<std::int64_t> expected;
                for (std::size_t i = 3; i < keys.size(); ++i) {
                    if (keys[i] >= bar && log_weight[i] > -kInfinity) {
                        expected.push_back(static_cast<std::int64_t>(i));
                    }
                }
                std::vector<std::int64_t> found;
                std::int64_t last = 2;
                KeyFilter(settings, bar).for_each(documents, 3, 2500, [&](std::int64_t i, Rank r) {
                    CHECK(i > last);
                    last = i;
                    CHECK(r == rank_of(settings, log_weight[static_cast<std::size_t>(i)],
                                       first_row + static_cast<std::uint64_t>(i)));
                    if (keys[static_cast<std::size_t>(i)] >= bar) found.push_back(i);
                });
                CHECK_EQUAL_FOR("scale " + std::to_string(scale), found, expected);
            }
        }
    }
}

TEST(filter_refuses_most_of_the_others) {
    const KeySettings settings{4, 0, 1.0, true};
    const std::vector<double> equal(100'000, 0.0);
    const Documents documents{equal.data(), nullptr, nullptr, 100'000, 0};
    int passed = 0;
    // The noise is above 4.6 once in a hundred times.
    KeyFilter(settings, 4.6).for_each(documents, 0, 100'000, [&](std::int64_t, Rank) { ++passed; });
    CHECK(passed > 900);
    CHECK(passed < 1200);
    passed = 0;
    KeyFilter(settings, 36.8).for_each(documents, 0, 100'000, [&](std::int64_t, Rank) {
        ++passed;
    });
    CHECK_EQUAL(passed, 0);
}

TEST(lowest_keys) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    for (const double key : {-kInfinity, -1e308, -2.0, -5e-324, 0.0, 5e-324, 1.0, kInfinity}) {
        CHECK_EQUAL(lowest_key(ordered_bits(key)), key);
    }
    CHECK_EQUAL(lowest_key(0), -kInfinity);
    CHECK_EQUAL(lowest_key(~std::uint64_t{0}), kInfinity);
}

}  // namespace
