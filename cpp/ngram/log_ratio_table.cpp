#include "ngram/log_ratio_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <new>

#include "numeric/portable_log.hpp"

namespace dsir::ngram {
namespace {

// Products with powers of two are exact, and faster than ldexp.
constexpr double kUnits = std::int64_t{1} << LogRatioTable::kFractionBits;
constexpr std::size_t kAlignment = 64;  // a row of eight entries is one cache line

}  // namespace

LogRatioTable::LogRatioTable(const double* log_ratio, std::size_t targets, std::size_t buckets)
    : targets_(targets), buckets_(buckets) {
    for (std::size_t first = 0; first < targets; first += kGroup) {
        const std::size_t inside = std::min(kGroup, targets - first);
        const std::size_t width = std::bit_ceil(inside);
        const std::size_t size = width * buckets;
        auto* const data = static_cast<std::int64_t*>(
            ::operator new(size * sizeof(std::int64_t), std::align_val_t{kAlignment}));
        memory_.emplace_back(data);
        groups_.push_back({first, width, data});
        if (width > inside) std::fill_n(data, size, 0);
        for (std::size_t t = 0; t < inside; ++t) {
            const double* const of_target = log_ratio + (first + t) * buckets;
            for (std::size_t b = 0; b < buckets; ++b) {
                data[b * width + t] = to_fixed(of_target[b]);
            }
        }
    }
}

void LogRatioTable::Deleter::operator()(std::int64_t* at) const {
    ::operator delete(at, std::align_val_t{kAlignment});
}

double LogRatioTable::to_double(int128 sum) {
    return static_cast<double>(sum) * (1 / kUnits);
}

std::vector<double> log_ratio(const std::int64_t* target, const std::int64_t* raw,
                              std::size_t buckets, double smoothing) {
    constexpr double kFloor = 1e-8;
    double target_total = 0;
    double raw_total = 0;
    for (std::size_t b = 0; b < buckets; ++b) {
        target_total += static_cast<double>(target[b]) + smoothing;
        raw_total += static_cast<double>(raw[b]);
    }
    std::vector<double> ratio(buckets);
    for (std::size_t b = 0; b < buckets; ++b) {
        const double p_target = (static_cast<double>(target[b]) + smoothing) / target_total;
        const double p_raw = static_cast<double>(raw[b]) / raw_total;
        ratio[b] = numeric::portable_log(p_target + kFloor) - numeric::portable_log(p_raw + kFloor);
    }
    return ratio;
}

}  // namespace dsir::ngram
