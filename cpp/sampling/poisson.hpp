#pragma once

#include <array>
#include <cstdint>

#include "numeric/philox.hpp"

namespace dsir::sampling {

/// 2^32 P(X <= k) for k = 0, 1, ..., rounded to the nearest integer, where X is Poisson with mean
/// 1. From k = 12 on the value is 2^32.
inline constexpr std::array<std::uint32_t, 12> kPoissonThresholds = {
    0x5E2D58D9, 0xBC5AB1B1, 0xEB715E1E, 0xFB239797, 0xFF1025F6, 0xFFD90F3C,
    0xFFFA8B72, 0xFFFF540C, 0xFFFFED1F, 0xFFFFFE21, 0xFFFFFFD5, 0xFFFFFFFC,
};

/// The Poisson(1) count, 0 to 12, for 32 random bits: the number of thresholds that the bits reach.
/// In integers this is exact, and no probability is off by more than 2^-32.
inline std::uint32_t poisson_of(std::uint32_t bits) {
    std::uint32_t count = 0;
    for (const std::uint32_t threshold : kPoissonThresholds) count += bits >= threshold ? 1 : 0;
    return count;
}

/// Which counts of a bootstrap: those of one source of documents.
struct BootstrapDraw {
    std::uint64_t seed = 0;
    std::uint32_t source = 0;  ///< number of the source, below 2^31
};

/// How often a document is in replicates 4 * quad to 4 * quad + 3 of its source. The counts depend
/// only on (seed, source, row, replicate). The upper bit of Philox's last word keeps these counters
/// apart from the ones that a draw uses for its noise (keys.hpp), which end in 0.
inline std::array<std::uint32_t, 4> bootstrap_counts(const BootstrapDraw& draw, std::uint64_t row,
                                                     std::uint32_t quad) {
    auto words = numeric::philox4x32(
        {static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32), quad,
         draw.source | 0x80000000U},
        {static_cast<std::uint32_t>(draw.seed), static_cast<std::uint32_t>(draw.seed >> 32)});
    for (std::uint32_t& word : words) word = poisson_of(word);
    return words;
}

}  // namespace dsir::sampling
