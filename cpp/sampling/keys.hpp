#pragma once

#include <bit>
#include <cstdint>

#include "numeric/philox.hpp"
#include "numeric/portable_log.hpp"

namespace dsir::sampling {

/// How the key of a document is made from its log-weight.
struct KeySettings {
    std::uint64_t seed = 0;
    std::uint32_t target = 0;  ///< number of the target that draws; each target has its own noise
    double temperature = 1.0;  ///< above 0
    bool noise = true;         ///< false: no noise, which selects the top k
};

constexpr double kLeastNoise = -4.0;      ///< -log(-log(2^-53)) is -3.604
constexpr double kGreatestNoise = 36.75;  ///< -log(-log(1 - 2^-53)) is 36.737

/// Standard Gumbel noise of a document, which depends only on (seed, target, global row number). 52
/// random bits, taken as the middle of their interval, make the noise finite: about -3.6 to 36.7.
inline double gumbel(const KeySettings& settings, std::uint64_t row) {
    const auto random =
        numeric::philox4x32({static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32),
                             settings.target, 0},
                            {static_cast<std::uint32_t>(settings.seed),
                             static_cast<std::uint32_t>(settings.seed >> 32)});
    const std::uint64_t bits = (std::uint64_t{random[1]} << 32) | random[0];
    const double uniform = (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
    return -numeric::portable_log(-numeric::portable_log(uniform));
}

/// log_weight / temperature, plus the noise if the settings ask for it.
inline double key_of(const KeySettings& settings, double log_weight, std::uint64_t row) {
    const double scaled = log_weight / settings.temperature;
    return settings.noise ? scaled + gumbel(settings, row) : scaled;
}

/// Maps doubles (no NaN) to integers in the same order. Both zeros map to the same integer.
inline std::uint64_t ordered_bits(double key) {
    const auto bits = std::bit_cast<std::uint64_t>(key + 0.0);
    return (bits >> 63) != 0 ? ~bits : bits | (std::uint64_t{1} << 63);
}

/// The place of a document in the order of selection. Greater ranks are selected first. Ranks are
/// ordered by key; among equal keys the smaller row number comes first, so all ranks differ.
struct Rank {
    std::uint64_t key;      ///< ordered_bits of the key
    std::uint64_t not_row;  ///< ~row

    friend bool operator==(const Rank&, const Rank&) = default;
    friend auto operator<=>(const Rank&, const Rank&) = default;
};

inline Rank rank_of(const KeySettings& settings, double log_weight, std::uint64_t row) {
    return {ordered_bits(key_of(settings, log_weight, row)), ~row};
}

}  // namespace dsir::sampling
