#include "ngram/log_ratio_table.hpp"

#include <cmath>

#include "numeric/portable_log.hpp"

namespace dsir::ngram {

LogRatioTable::LogRatioTable(const double* log_ratio, std::size_t buckets) {
    fixed_.reserve(buckets);
    for (std::size_t b = 0; b < buckets; ++b) {
        fixed_.push_back(std::llrint(std::ldexp(log_ratio[b], kFractionBits)));
    }
}

double LogRatioTable::to_double(int128 sum) {
    return std::ldexp(static_cast<double>(sum), -kFractionBits);
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
