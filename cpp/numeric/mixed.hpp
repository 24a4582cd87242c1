#pragma once

#include <cstdint>

namespace dsir::numeric {

/// Mixes a seed and a number into 64 bits (the finalizer of SplitMix64). The result is random
/// enough for masks and draws.
inline std::uint64_t mixed(std::uint64_t seed, std::uint64_t number) {
    std::uint64_t z = seed + (number + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

/// True for a share `rate` (0 to 1) of all numbers.
inline bool dropped(std::uint64_t seed, std::uint64_t number, double rate) {
    return static_cast<double>(mixed(seed, number) >> 11) * 0x1p-53 < rate;
}

}  // namespace dsir::numeric
