#pragma once

#include <bit>
#include <cstring>

#include "hashing/fast_hash.hpp"
#include "simd/pair_counts.hpp"

/// The loop of pair_counts.hpp. Each file that knows an instruction set gives a type `Isa`, which
/// has, for 64 numbers and the one after them,
///
///     std::uint64_t large(numbers);  // which of the 64 are not small
///     void low_bytes(numbers, out);  // the lower bytes of 65 numbers
///     std::size_t small_pairs(numbers, mask, out);  // first + 256 * second of those pairs of
///     small
///                                                   // numbers whose bits are set; may write 8
///                                                   more
///     std::size_t places(mask, offset, out);  // offset + i for every set bit i; may write 8 more
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
    static constexpr std::size_t kTogether = 8;
    /// With fewer pairs of small numbers in a block, all of its pairs are hashed.
    static constexpr int kFewSmall = 40;

    template <class Use>
    static void count(const std::uint16_t* numbers, std::size_t pairs, const PairTables& tables,
                      Use& use) {
        std::uint16_t small[64 * kTogether + 8];
        std::uint16_t places[64 * kTogether + 8];
        std::size_t small_size = 0;
        std::size_t places_size = 0;
        std::size_t blocks = 0;
        const std::uint16_t* from = numbers;  // what places are counted from
        const auto count_mixed = [&] {
            if (blocks == 0) return;
            count_small(small, small_size, tables);
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
                count_bytes(at, 64, tables);
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
        hash_all(numbers + k, pairs - k, tables, use);
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

    static void count_small(const std::uint16_t* codes, std::size_t count,
                            const PairTables& tables) {
        std::uint32_t* const even = tables.small[0];
        std::uint32_t* const odd = tables.small[1];
        std::size_t i = 0;
        for (; i + 2 <= count; i += 2) {
            ++even[codes[i]];
            ++odd[codes[i + 1]];
        }
        if (i != count) ++even[codes[i]];
    }

    /// Pairs of small numbers, from the lower bytes of the numbers.
    static void count_bytes(const std::uint16_t* numbers, std::size_t pairs,
                            const PairTables& tables) {
        std::uint8_t bytes[66];
        Isa::low_bytes(numbers, bytes);
        std::uint32_t* const even = tables.small[0];
        std::uint32_t* const odd = tables.small[1];
        const auto pair_at = [&bytes](std::size_t k) {
            std::uint16_t pair = 0;
            std::memcpy(&pair, bytes + k, sizeof pair);
            return pair;
        };
        for (std::size_t k = 0; k < pairs; k += 2) {
            ++even[pair_at(k)];
            ++odd[pair_at(k + 1)];
        }
    }
};

}  // namespace dsir::simd
