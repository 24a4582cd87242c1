#include "sampling/key_filter.hpp"

#include <bit>
#include <cmath>
#include <vector>

#include "numeric/portable_exp.hpp"
#include "simd/philox_rows.hpp"
#include "simd/possible_rows.hpp"

namespace dsir::sampling {
namespace {

constexpr double kStepsPerUnit = 64.0;
constexpr std::size_t kSteps = 2609;  // from kLeastNoise to kGreatestNoise, both ends included
// Above this bar the rounding of key + noise is no longer small compared with kMargin.
constexpr double kLargestBar = 0x1p30;
constexpr double kMargin = 1e-6;

/// words[i] is the least upper random word that gives noise of at least kLeastNoise + i /
/// kStepsPerUnit.
///
/// Noise >= g means u >= exp(-exp(-g)), and u is (word + something below 1) / 2^32. kMargin covers
/// the rounding of the noise, of the difference that is looked up, and of the addition. Subtracting
/// 2 covers the rounding of u here.
std::vector<std::uint32_t> least_words() {
    std::vector<std::uint32_t> words(kSteps);
    for (std::size_t i = 0; i < kSteps; ++i) {
        const double noise = kLeastNoise + static_cast<double>(i) / kStepsPerUnit - kMargin;
        const double u = numeric::portable_exp(-numeric::portable_exp(-noise));
        const double word = std::floor(u * 0x1p32) - 2.0;
        words[i] = word > 0 ? static_cast<std::uint32_t>(word) : 0;
    }
    return words;
}

}  // namespace

std::size_t KeyFilter::pick(const Documents& documents, std::int64_t begin, std::int64_t end,
                            Block& block) const {
    static const std::vector<std::uint32_t> least = least_words();
    static const std::vector<std::uint32_t> none(kSteps);
    static const simd::PossibleRows possible_rows =
        simd::possible_rows_kernel(simd::active_level());
    static const simd::PhiloxRows philox_rows = simd::philox_rows_kernel(simd::active_level());
    const bool look_up = settings_.noise && std::abs(bar_) < kLargestBar;
    const simd::NoiseNeeded needed{settings_.temperature, bar_,
                                   kLeastNoise,           settings_.noise ? kGreatestNoise : 0.0,
                                   kStepsPerUnit,         (look_up ? least : none).data(),
                                   kGreatestNoise};
    const std::size_t count = possible_rows(
        needed, documents.log_weight + begin,
        documents.eligible == nullptr ? nullptr : documents.eligible + begin,
        static_cast<std::uint32_t>(end - begin), block.offsets.data(), block.needed.data());
    if (!look_up) return count;
    philox_rows({settings_.seed, settings_.target}, documents.row(begin), block.offsets.data(),
                count, block.words.data());
    std::size_t left = 0;
    for (std::size_t j = 0; j < count; ++j) {
        block.offsets[left] = block.offsets[j];
        left += block.words[j] >= block.needed[j] ? 1 : 0;
    }
    return left;
}

double lowest_key(std::uint64_t ordered) {
    constexpr std::uint64_t kTop = std::uint64_t{1} << 63;
    const bool positive = (ordered & kTop) != 0;
    const double key = std::bit_cast<double>(positive ? ordered & ~kTop : ~ordered);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return std::isnan(key) ? (positive ? kInfinity : -kInfinity) : key;
}

}  // namespace dsir::sampling
