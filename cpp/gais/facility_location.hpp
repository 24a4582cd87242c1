#pragma once

#include <cstdint>
#include <vector>

namespace dsir::gais {

/// Gains of candidates in compressed rows: candidate j serves row rows[k] with values[k] >= 0, for
/// k from offsets[j] to offsets[j + 1].
struct ServiceView {
    std::int64_t candidates;
    std::int64_t rows;
    const std::int64_t* offsets;
    const std::int32_t* served;
    const float* values;
};

struct FacilityLocation {
    std::vector<std::int32_t> chosen;  ///< in the order they were taken
    std::vector<double> gains;         ///< what each added to the sum
};

/// Takes candidates, in group g at most wanted[g], that maximise the sum over rows of the best
/// value by which a candidate taken serves them: lazy greedy (Minoux 1978), which takes what plain
/// greedy takes and so has at least 1 - 1/e of the best sum where there is one group (1/2 where
/// there are several: a partition matroid; Fisher, Nemhauser & Wolsey 1978). Candidates of a
/// negative group are left out. Among equal gains the smaller number comes first.
FacilityLocation facility_location(const ServiceView& service, const std::int32_t* group,
                                   const std::vector<std::int64_t>& wanted);

}  // namespace dsir::gais
