#include "gais/facility_location.hpp"

#include <queue>

namespace dsir::gais {
namespace {

struct Bound {
    double gain;
    std::int32_t candidate;
    std::int64_t round;  ///< in which the gain was computed

    bool operator<(const Bound& other) const {
        return gain != other.gain ? gain < other.gain : candidate > other.candidate;
    }
};

}  // namespace

FacilityLocation facility_location(const ServiceView& service, const std::int32_t* group,
                                   const std::vector<std::int64_t>& wanted) {
    std::vector<float> best(static_cast<std::size_t>(service.rows), 0.0F);
    const auto gain_of = [&](std::int32_t candidate) {
        double gain = 0;
        for (std::int64_t k = service.offsets[candidate]; k < service.offsets[candidate + 1]; ++k) {
            const float now = best[service.served[k]];
            if (service.values[k] > now) {
                gain += static_cast<double>(service.values[k]) - static_cast<double>(now);
            }
        }
        return gain;
    };
    std::priority_queue<Bound> bounds;
    for (std::int32_t j = 0; j < service.candidates; ++j) {
        if (group[j] >= 0) bounds.push({gain_of(j), j, 0});
    }
    FacilityLocation result;
    std::vector<std::int64_t> left = wanted;
    std::int64_t round = 0;
    while (!bounds.empty()) {
        Bound top = bounds.top();
        bounds.pop();
        if (left[group[top.candidate]] == 0) continue;
        if (top.round != round) {  // Gains only fall, so an old gain is an upper bound.
            top.gain = gain_of(top.candidate);
            top.round = round;
            bounds.push(top);
            continue;
        }
        --left[group[top.candidate]];
        ++round;
        result.chosen.push_back(top.candidate);
        result.gains.push_back(top.gain);
        for (std::int64_t k = service.offsets[top.candidate];
             k < service.offsets[top.candidate + 1]; ++k) {
            float& now = best[service.served[k]];
            if (service.values[k] > now) now = service.values[k];
        }
    }
    return result;
}

}  // namespace dsir::gais
