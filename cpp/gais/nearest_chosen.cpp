#include "gais/panels.hpp"
#include "gais/prototypes.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::gais {

std::vector<std::int32_t> nearest_chosen(const numeric::DenseRows& rows, const Parts& parts,
                                         const Parts& chosen, unsigned threads) {
    std::vector<std::int32_t> nearest(static_cast<std::size_t>(parts.offsets[parts.count]));
    Panels panels;
    for (std::int64_t g = 0; g < parts.count; ++g) {
        const std::int32_t* const own = chosen.members + chosen.offsets[g];
        panels.resize(chosen.offsets[g + 1] - chosen.offsets[g], rows.width);
        for (std::int64_t c = 0; c < panels.rows(); ++c) {
            panels.set(c, rows.values + own[c] * rows.width);
        }
        const std::int64_t first = parts.offsets[g];
        parallel::for_ranges(parts.offsets[g + 1] - first, threads,
                             [&](unsigned, std::int64_t begin, std::int64_t end) {
                                 float distance = 0;
                                 for (std::int64_t m = first + begin; m < first + end; ++m) {
                                     const float* const row =
                                         rows.values + parts.members[m] * rows.width;
                                     nearest[m] = own[panels.nearest(row, distance)];
                                 }
                             });
    }
    return nearest;
}

}  // namespace dsir::gais
