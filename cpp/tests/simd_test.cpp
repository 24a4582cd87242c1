#include "simd/classify.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "ascii_classes.hpp"
#include "check.hpp"
#include "hashing/fast_hash.hpp"
#include "simd/cpu.hpp"
#include "simd/cut.hpp"
#include "simd/fast_ngrams.hpp"
#include "simd/possible_rows.hpp"
#include "simd/row_sums.hpp"

namespace {

using dsir::simd::BlockMasks;
using dsir::simd::Classify;
using dsir::simd::Level;
using dsir::simd::levels_up_to_active;
using dsir::test::Random;
using dsir::test::space;
using dsir::test::word;
using Block = std::array<std::uint8_t, 64>;

void check_block(Classify classify, const Block& block) {
    BlockMasks expected{0, 0, 0};
    Block lowered{};
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint8_t c = block[i];
        const std::uint64_t bit = std::uint64_t{1} << i;
        if (word(c)) expected.word |= bit;
        if (space(c)) expected.space |= bit;
        if (c >= 128) expected.non_ascii |= bit;
        lowered[i] = c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c - 'A' + 'a') : c;
    }
    Block out{};
    const BlockMasks found = classify(block.data(), out.data());
    CHECK_EQUAL(found.word, expected.word);
    CHECK_EQUAL(found.space, expected.space);
    CHECK_EQUAL(found.non_ascii, expected.non_ascii);
    CHECK(out == lowered);
}

void check_kernel(Classify classify) {
    for (unsigned c = 0; c < 256; ++c) {
        Block block{};
        block.fill(static_cast<std::uint8_t>(c));
        check_block(classify, block);
        for (std::size_t i = 0; i < 64; ++i) {
            Block one{};
            one.fill(' ');
            one[i] = static_cast<std::uint8_t>(c);
            check_block(classify, one);
        }
    }
    Random random(3);
    for (int i = 0; i < 20000; ++i) {
        Block block{};
        for (auto& byte : block) byte = static_cast<std::uint8_t>(random.below(i % 2 ? 256 : 128));
        check_block(classify, block);
    }
}

TEST(classes_of_bytes) {
    for (const Level level : levels_up_to_active())
        check_kernel(dsir::simd::classify_kernel(level));
}

TEST(ngrams_of_every_level) {
    Random random(7);
    for (int round = 0; round < 300; ++round) {
        const unsigned n = 1 + static_cast<unsigned>(random.below(8));
        const auto buckets = static_cast<std::uint32_t>(2 + random.below((1 << 24) - 1));
        const std::size_t count = random.below(400);
        std::vector<std::uint8_t> bytes;
        std::vector<std::uint32_t> starts;
        std::vector<std::uint32_t> ends;
        for (std::size_t k = 0; k < count; ++k) {
            starts.push_back(std::uint32_t(bytes.size()));
            // Words, or short tokens with few longer ones among them.
            const bool is_short = round % 3 == 1 && random.below(40) != 0;
            const std::size_t length = 1 + random.below(is_short ? 5 : round % 3 == 0 ? 40 : 12);
            for (std::size_t i = 0; i < length; ++i)
                bytes.push_back(std::uint8_t(random.below(256)));
            ends.push_back(std::uint32_t(bytes.size()));
        }
        bytes.resize(bytes.size() + 16);
        // The definition, n-gram by n-gram.
        std::vector<std::uint64_t> hashes;
        std::vector<std::uint32_t> expected;
        for (std::size_t k = 0; k < count; ++k) {
            hashes.push_back(
                dsir::hashing::token_hash(bytes.data() + starts[k], ends[k] - starts[k]));
            for (std::size_t order = 1; order <= n && order <= k + 1; ++order) {
                std::uint64_t hash = hashes[k + 1 - order];
                for (std::size_t i = k + 2 - order; i <= k; ++i) {
                    hash = dsir::hashing::extend_hash(hash, hashes[i]);
                }
                expected.push_back(dsir::hashing::bucket_of(hash, buckets));
            }
        }
        std::sort(expected.begin(), expected.end());
        for (const Level level : levels_up_to_active()) {
            // In stretches of any length, including empty ones.
            std::vector<std::uint32_t> found;
            dsir::simd::FastNgramsBefore before{};
            for (std::size_t from = 0; from < count;) {
                const std::size_t some = std::min(count - from, random.below(200));
                std::vector<std::uint32_t> out(n * some + dsir::simd::kBucketSlack);
                std::vector<std::uint64_t> tokens(some + dsir::simd::kBucketSlack);
                const bool show = random.below(2) == 0;
                const std::size_t made = dsir::simd::fast_ngrams_kernel(level)(
                    {bytes.data(), starts.data() + from, ends.data() + from, some}, n, buckets,
                    before, out.data(), show ? tokens.data() : nullptr);
                if (show) {
                    CHECK(std::equal(tokens.begin(), tokens.begin() + std::ptrdiff_t(some),
                                     hashes.begin() + std::ptrdiff_t(from)));
                }
                found.insert(found.end(), out.begin(), out.begin() + std::ptrdiff_t(made));
                from += some;
            }
            std::sort(found.begin(), found.end());
            CHECK(found == expected);
            std::vector<std::uint64_t> alone(count + dsir::simd::kBucketSlack);
            dsir::simd::token_hashes_kernel(level)(
                {bytes.data(), starts.data(), ends.data(), count}, alone.data());
            alone.resize(count);
            CHECK(alone == hashes);
            const dsir::simd::HashSteps steps = dsir::simd::hash_steps(level);
            std::vector<std::uint64_t> tokens(1 + count + dsir::simd::kBucketSlack, 17);
            std::vector<std::uint64_t> longer(tokens.size());
            std::vector<std::uint32_t> chosen(tokens.size());
            steps.hash({bytes.data(), starts.data(), ends.data(), count}, tokens.data() + 1);
            steps.extend(tokens.data(), tokens.data() + 1, count, longer.data());
            steps.buckets(longer.data(), count, buckets, chosen.data());
            for (std::size_t k = 0; k < count; ++k) {
                CHECK(tokens[k + 1] == hashes[k]);
                CHECK(longer[k] == dsir::hashing::extend_hash(tokens[k], hashes[k]));
                CHECK(chosen[k] == dsir::hashing::bucket_of(longer[k], buckets));
            }
        }
    }
}

TEST(sums_of_rows) {
    Random random(8);
    struct alignas(64) Row {
        std::int64_t entries[8];
    };
    std::vector<Row> table(50);
    for (Row& row : table) {
        for (auto& entry : row.entries) entry = static_cast<std::int64_t>(random.below(~0ULL)) / 64;
    }
    for (int round = 0; round < 50; ++round) {
        std::vector<std::uint32_t> chosen(random.below(40));
        std::array<std::int64_t, 8> expected{1, -2, 3, 4, 5, 6, 7, 8};
        for (auto& row : chosen) {
            row = static_cast<std::uint32_t>(random.below(table.size()));
            for (std::size_t t = 0; t < 8; ++t) expected[t] += table[row].entries[t];
        }
        for (const Level level : levels_up_to_active()) {
            std::array<std::int64_t, 8> sums{1, -2, 3, 4, 5, 6, 7, 8};
            dsir::simd::add_rows_kernel(level)(table[0].entries, chosen.data(), chosen.size(),
                                               sums.data());
            CHECK(sums == expected);
        }
    }
}

TEST(rows_that_may_reach_a_bar) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    Random random(9);
    std::vector<std::uint32_t> table(40 * 16 + 1);
    for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<std::uint32_t>(i * i);
    std::size_t all = 0;
    for (int round = 0; round < 2000; ++round) {
        const double spread = round % 3 == 0 ? 100 : 10;
        const double temperature = round % 2 == 0 ? 1.0 : 0.1 + random.uniform();
        const double bar = round % 50 == 0   ? kInfinity
                           : round % 50 == 1 ? -kInfinity
                                             : spread * random.uniform();
        const dsir::simd::NoiseNeeded needed{temperature, bar,          -3.7, 36.8,
                                             16.0,        table.data(), 36.3};
        const auto size = static_cast<std::uint32_t>(random.below(70));
        std::vector<double> log_weight(size);
        std::vector<std::uint8_t> eligible(size);
        for (std::uint32_t i = 0; i < size; ++i) {
            log_weight[i] = random.below(9) == 0 ? -kInfinity : spread * (random.uniform() - 0.5);
            eligible[i] = static_cast<std::uint8_t>(random.below(3));
        }
        if (round % 7 == 0 && size != 0) log_weight[0] = bar - 36.8;  // barely not out
        for (const bool flagged : {false, true}) {
            const std::uint8_t* const flags = flagged ? eligible.data() : nullptr;
            std::vector<std::uint32_t> offsets(size + 16), words(size + 16);
            const std::size_t count = dsir::simd::possible_rows_scalar(
                needed, log_weight.data(), flags, size, offsets.data(), words.data());
            all += count;
            offsets.resize(count);
            words.resize(count);
            for (const Level level : levels_up_to_active()) {
                std::vector<std::uint32_t> its_offsets(size + 16), its_words(size + 16);
                const std::size_t found = dsir::simd::possible_rows_kernel(level)(
                    needed, log_weight.data(), flags, size, its_offsets.data(), its_words.data());
                its_offsets.resize(found);
                its_words.resize(found);
                CHECK(its_offsets == offsets);
                CHECK(its_words == words);
            }
        }
    }
    CHECK(all > 10000);
}

TEST(level_names) {
    CHECK_EQUAL(std::string(dsir::simd::name_of(Level::scalar)), std::string("scalar"));
    CHECK_EQUAL(std::string(dsir::simd::name_of(Level::neon)), std::string("neon"));
    CHECK_EQUAL(std::string(dsir::simd::name_of(Level::avx2)), std::string("avx2"));
    CHECK_EQUAL(std::string(dsir::simd::name_of(Level::avx512)), std::string("avx512"));
    CHECK(dsir::simd::classify_kernel(Level::scalar) == dsir::simd::classify_scalar);
    if (dsir::simd::active_level() == Level::scalar) {
        CHECK(!dsir::simd::has_sha256_instructions());
    }
    std::cout << "       active level: " << dsir::simd::name_of(dsir::simd::active_level())
              << ", SHA-256 instructions: "
              << (dsir::simd::has_sha256_instructions() ? "yes" : "no") << "\n";
}

}  // namespace
