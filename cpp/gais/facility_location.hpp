#pragma once

#include <cstdint>
#include <vector>

namespace dsir::gais {

/// How well each candidate serves rows, in compressed rows: candidate j serves row served[k] with
/// values[k] >= 0, for k from offsets[j] to offsets[j + 1] - 1. A view: the caller owns the arrays.
struct ServiceView {
    std::int64_t candidates;
    std::int64_t rows;
    const std::int64_t* offsets;
    const std::int32_t* served;
    const float* values;
};

struct FacilityLocation {
    std::vector<std::int32_t> chosen;  ///< in the order in which they were chosen
    std::vector<double> gains;         ///< what each added to the sum
};

/// Chooses candidates, at most wanted[g] from group g, that maximize a sum over rows: the best
/// value with which a chosen candidate serves the row. Lazy greedy (Minoux 1978) chooses what plain
/// greedy chooses. With one group the sum is at least 1 - 1/e of the best possible; with several
/// groups, which form a partition matroid, at least 1/2 (Fisher, Nemhauser & Wolsey 1978).
/// Candidates of a negative group are never chosen. Among equal gains the smaller number comes
/// first.
FacilityLocation facility_location(const ServiceView& service, const std::int32_t* group,
                                   const std::vector<std::int64_t>& wanted);

}  // namespace dsir::gais
