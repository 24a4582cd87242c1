#include "simd/pair_counts_loop.hpp"

namespace dsir::simd {
namespace {

struct Scalar {
    static constexpr bool kTellsApart = false;
};

}  // namespace

std::size_t count_pairs_scalar(const std::uint16_t* numbers, std::size_t pairs,
                               const PairTables& tables, std::uint32_t* found) {
    return PairLoop<Scalar>::run(numbers, pairs, tables, found);
}

}  // namespace dsir::simd
