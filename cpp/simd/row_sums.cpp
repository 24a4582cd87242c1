#include "simd/row_sums.hpp"

namespace dsir::simd {

void add_rows_scalar(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                     std::int64_t* sums) {
    std::uint64_t own[8] = {};
    for (std::size_t i = 0; i < count; ++i) {
        const std::int64_t* const row = table + std::size_t{chosen[i]} * 8;
        for (std::size_t t = 0; t < 8; ++t) own[t] += static_cast<std::uint64_t>(row[t]);
    }
    for (std::size_t t = 0; t < 8; ++t) {
        sums[t] = static_cast<std::int64_t>(static_cast<std::uint64_t>(sums[t]) + own[t]);
    }
}

AddRows add_rows_kernel(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return add_rows_avx512;
    if (level == Level::avx2) return add_rows_avx2;
#endif
    (void)level;
    return add_rows_scalar;
}

}  // namespace dsir::simd
