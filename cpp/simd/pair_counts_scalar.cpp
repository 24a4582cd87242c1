#include "simd/pair_counts_loop.hpp"

namespace dsir::simd {
namespace {

struct Scalar {
    static std::uint64_t large(const std::uint16_t* numbers) {
        unsigned all = 0;
        for (std::size_t i = 0; i < 64; ++i) all |= numbers[i];
        if (all < kSmallNumbers) return 0;
        std::uint64_t mask = 0;
        for (std::size_t i = 0; i < 64; ++i) {
            mask |= static_cast<std::uint64_t>(numbers[i] >= kSmallNumbers) << i;
        }
        return mask;
    }

    static void low_bytes(const std::uint16_t* numbers, std::uint8_t* out) {
        for (std::size_t i = 0; i < 65; ++i) out[i] = static_cast<std::uint8_t>(numbers[i]);
    }

    static std::size_t small_pairs(const std::uint16_t* numbers, std::uint64_t mask,
                                   std::uint16_t* out) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 64; ++i, mask >>= 1) {
            out[size] = static_cast<std::uint16_t>(numbers[i] | (numbers[i + 1] << 8));
            size += mask & 1;
        }
        return size;
    }

    static std::size_t places(std::uint64_t mask, std::size_t offset, std::uint16_t* out) {
        std::size_t size = 0;
        for (std::size_t i = 0; i < 64; ++i, mask >>= 1) {
            out[size] = static_cast<std::uint16_t>(offset + i);
            size += mask & 1;
        }
        return size;
    }
};

}  // namespace

std::size_t count_pairs_scalar(const std::uint16_t* numbers, std::size_t pairs,
                               const PairTables& tables, std::uint32_t* found) {
    return PairLoop<Scalar>::run(numbers, pairs, tables, found);
}

}  // namespace dsir::simd
