#include "simd/possible_rows.hpp"

#include <algorithm>
#include <limits>

namespace dsir::simd {

std::size_t possible_rows_scalar(const NoiseNeeded& needed, const double* log_weight,
                                 const std::uint8_t* eligible, std::uint32_t size,
                                 std::uint32_t* offsets, std::uint32_t* words) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const double most_steps = needed.table_top - needed.least_noise;
    std::size_t count = 0;
    for (std::uint32_t offset = 0; offset < size; ++offset) {
        const double scaled = log_weight[offset] / needed.temperature;
        const double wanted = needed.bar - scaled;
        const double above = wanted > needed.least_noise ? wanted - needed.least_noise : 0.0;
        const double step = std::min(above, most_steps) * needed.steps_a_unit;
        offsets[count] = offset;
        words[count] = needed.words[static_cast<std::uint32_t>(step)];
        // Addition rounds but never changes the order, so no key is above scaled + most_noise.
        const bool possible = scaled + needed.most_noise >= needed.bar;
        const bool is_eligible =
            eligible != nullptr ? eligible[offset] != 0 : log_weight[offset] > -kInfinity;
        count += possible && is_eligible ? 1 : 0;
    }
    return count;
}

PossibleRows possible_rows_kernel(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level >= Level::avx512) return possible_rows_avx512;
#elif defined(__aarch64__)
    if (level == Level::neon) return possible_rows_neon;
#endif
    (void)level;
    return possible_rows_scalar;
}

}  // namespace dsir::simd
