#pragma once

#include <bit>
#include <cstring>

#include "hashing/fast_hash.hpp"
#include "simd/pair_counts.hpp"

/// The loop of pair_counts.hpp. Each file that knows an instruction set gives a type `Isa`. If its
/// kTellsApart is true, `Isa` also has, for 64 numbers and the one after them,
///
///     std::uint64_t large(numbers);  // which of the 64 are not small
///     void low_bytes(numbers, out);  // the lower bytes of 65 numbers
///     std::size_t small_pairs(numbers, mask, out);
///         // first + 256 * second of the pairs whose bits are set. May write 8 more.
///     std::size_t places(mask, offset, out);  // offset + i for every set bit i. May write 8 more.
///
/// and is in an unnamed namespace, for the reason that cut_blocks.hpp gives.
namespace dsir::simd {

template <class Isa>
class PairLoop {
  public:
    static std::size_t run(const std::uint16_t* numbers, std::size_t pairs,
                           const PairTables& tables, std::uint32_t* found) {
        if (tables.counts != nullptr) {
            Counts counts{tables.counts};
            count(numbers, pairs, tables, counts);
            return 0;
        }
        List list{found};
        count(numbers, pairs, tables, list);
        return static_cast<std::size_t>(list.to - found);
    }

  private:
    struct Counts {
        std::int64_t* counts;
        void operator()(std::uint32_t bucket) const { ++counts[bucket]; }
    };

    struct List {
        std::uint32_t* to;
        void operator()(std::uint32_t bucket) { *to++ = bucket; }
    };

    /// Where pairs of small and of other numbers are mixed, they are told apart for so many blocks
    /// of 64 before either are counted.
    static constexpr std::size_t kTogether = 16;
    /// With fewer pairs of small numbers in a block, all of its pairs are hashed.
    static constexpr int kFewSmall = 40;

    /// Without instructions that tell pairs apart one by one, so many are counted in one way.
    static constexpr std::size_t kRun = 64;
    static constexpr std::size_t kShortRun = 8;

    template <class Use>
    static void count(const std::uint16_t* numbers, std::size_t pairs, const PairTables& tables,
                      Use& use) {
        std::size_t counted = 0;
        if constexpr (Isa::kTellsApart) counted = tell_apart(numbers, pairs, tables, use);
        for (std::size_t k = counted; k < pairs; k += kRun) {
            const std::size_t run = pairs - k < kRun ? pairs - k : kRun;
            if (all_small(numbers + k, run)) {
                count_numbers(numbers + k, run, tables);
                continue;
            }
            for (std::size_t i = k; i < k + run; i += kShortRun) {
                const std::size_t some = k + run - i < kShortRun ? k + run - i : kShortRun;
                if (all_small(numbers + i, some)) {
                    count_numbers(numbers + i, some, tables);
                } else {
                    hash_all(numbers + i, some, tables, use);
                }
            }
        }
    }

    /// Counts whole blocks of 64 pairs, and returns how many pairs that are.
    template <class Use>
    static std::size_t tell_apart(const std::uint16_t* numbers, std::size_t pairs,
                                  const PairTables& tables, Use& use) {
        std::uint16_t small[64 * kTogether + 8];
        std::uint16_t places[64 * kTogether + 8];
        std::size_t small_size = 0;
        std::size_t places_size = 0;
        std::size_t blocks = 0;
        const std::uint16_t* from = numbers;  // what places are counted from
        const auto count_mixed = [&] {
            if (blocks == 0) return;
            count_entries(small_size, tables, [&small](std::size_t i) { return small[i]; });
            hash_some(from, places, places_size, tables, use);
            small_size = 0;
            places_size = 0;
            blocks = 0;
        };
        std::size_t k = 0;
        for (; k + 64 <= pairs; k += 64) {
            const std::uint16_t* const at = numbers + k;
            const std::uint64_t own = Isa::large(at);
            const std::uint64_t last = at[64] >= kSmallNumbers ? 1 : 0;
            const std::uint64_t large = own | (own >> 1) | (last << 63);
            if (large == 0) {
                count_bytes(at, tables);
            } else if (std::popcount(large) > 64 - kFewSmall) {
                hash_all(at, 64, tables, use);
            } else {
                if (blocks == kTogether || at - from > 0x8000) count_mixed();
                if (blocks == 0) from = at;
                small_size += Isa::small_pairs(at, ~large, small + small_size);
                places_size +=
                    Isa::places(large, static_cast<std::size_t>(at - from), places + places_size);
                ++blocks;
            }
        }
        count_mixed();
        return k;
    }

    /// Whether so many pairs are of small numbers.
    static bool all_small(const std::uint16_t* numbers, std::size_t pairs) {
        unsigned all = 0;
        for (std::size_t i = 0; i <= pairs; ++i) all |= numbers[i];
        return all < kSmallNumbers;
    }

    // Functions on their own, because within a larger one the compiler runs out of registers and
    // keeps the halves of products in memory.

    /// Hashes all pairs.
    template <class Use>
    [[gnu::noinline]] static void hash_all(const std::uint16_t* numbers, std::size_t pairs,
                                           const PairTables& tables, Use& use) {
        const std::uint64_t* const hashes = tables.hashes;
        std::uint64_t* const singles = tables.singles;
        const std::uint32_t buckets = tables.buckets;
        std::uint64_t first = hashes[numbers[0]];
        for (std::size_t k = 0; k < pairs; ++k) {
            const std::size_t number = numbers[k + 1];
            const std::uint64_t second = hashes[number];
            ++singles[number];
            use(hashing::bucket_of(hashing::extend_hash(first, second), buckets));
            first = second;
        }
    }

    /// Hashes the pairs that begin at so many places.
    template <class Use>
    [[gnu::noinline]] static void hash_some(const std::uint16_t* numbers,
                                            const std::uint16_t* places, std::size_t count,
                                            const PairTables& tables, Use& use) {
        const std::uint64_t* const hashes = tables.hashes;
        std::uint64_t* const singles = tables.singles;
        const std::uint32_t buckets = tables.buckets;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint16_t* const at = numbers + places[i];
            ++singles[at[1]];
            use(hashing::bucket_of(hashing::extend_hash(hashes[at[0]], hashes[at[1]]), buckets));
        }
    }

    /// Counts pairs of small numbers.
    static void count_numbers(const std::uint16_t* numbers, std::size_t pairs,
                              const PairTables& tables) {
        count_entries(pairs, tables,
                      [numbers](std::size_t k) { return numbers[k] + 256 * numbers[k + 1]; });
    }

    /// Counts so many entries of the tables of pairs of small numbers.
    template <class EntryAt>
    static void count_entries(std::size_t count, const PairTables& tables,
                              const EntryAt& entry_at) {
        std::uint32_t* const even = tables.small[0];
        std::uint32_t* const odd = tables.small[1];
        std::size_t k = 0;
        for (; k + 2 <= count; k += 2) {
            ++even[entry_at(k)];
            ++odd[entry_at(k + 1)];
        }
        if (k != count) ++even[entry_at(k)];
    }

    /// Counts 64 pairs of small numbers.
    static void count_bytes(const std::uint16_t* numbers, const PairTables& tables) {
        std::uint8_t bytes[66];
        Isa::low_bytes(numbers, bytes);
        count_entries(64, tables, [&bytes](std::size_t k) {
            std::uint16_t pair = 0;
            std::memcpy(&pair, bytes + k, sizeof pair);
            return pair;
        });
    }
};

}  // namespace dsir::simd
