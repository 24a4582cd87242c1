#include "simd/philox_rows.hpp"

#include "numeric/philox.hpp"

namespace dsir::simd {

void philox_rows_scalar(const PhiloxSettings& settings, std::uint64_t first_row,
                        const std::uint32_t* offsets, std::size_t count, std::uint32_t* words) {
    const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(settings.key),
                                              static_cast<std::uint32_t>(settings.key >> 32)};
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t row = first_row + offsets[i];
        words[i] =
            numeric::philox4x32({static_cast<std::uint32_t>(row),
                                 static_cast<std::uint32_t>(row >> 32), settings.third_word, 0},
                                key)[1];
    }
}

PhiloxRows philox_rows_kernel(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level >= Level::avx512) return philox_rows_avx512;
    if (level >= Level::avx2) return philox_rows_avx2;
#elif defined(__aarch64__)
    if (level == Level::neon) return philox_rows_neon;
#endif
    (void)level;
    return philox_rows_scalar;
}

}  // namespace dsir::simd
