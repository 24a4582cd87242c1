#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// Rows that stand for others: the middles of clusters, and a search that exchanges them.
///
/// Work is cut into parts that do not see each other, each done by one thread: the result depends
/// on the parts and the seed, and not on the number of threads.
namespace dsir::gais {

/// Rows members[offsets[g] .. offsets[g + 1]) make up part g. Views: it owns nothing.
struct Parts {
    const std::int32_t* members;
    const std::int64_t* offsets;
    std::int64_t count;
};

/// k-means by part (Lloyd, from k-means++ seeds of a few tries each), then for every centre the
/// nearest row that is not taken. `wanted[g]` rows of part g, at most its size.
/// Returns the rows, part by part, in order of the centres.
std::vector<std::int32_t> cluster_prototypes(const numeric::DenseRows& rows, const Parts& parts,
                                             const std::int64_t* wanted, std::int64_t iterations,
                                             std::uint64_t seed, unsigned threads);

struct Exchange {
    double passes = 4.0;      ///< exchanges tried, a prototype
    double sharpness = 10.0;  ///< of the loss: how soon a row counts as right or wrong
    double local = 0.7;       ///< share of the tries within the prototype's own cluster
    std::uint64_t seed = 0;
};

/// Exchanges prototypes by part, as long as that lowers the sum over the part's rows of
/// 1 / (1 + exp(-sharpness (own - other) / (own + other))), own and other the distances to the
/// nearest prototype of the row's class and of the others: a smooth count of what the nearest
/// prototype gets wrong. A prototype is exchanged for a row of its class with allowed[row] != 0.
/// `prototypes` are those of part g at [ends[g], ends[g + 1]); they are changed in place.
/// `losses`: [2, parts], before and after.
void exchange_prototypes(const numeric::DenseRows& rows, const std::int32_t* labels,
                         const std::uint8_t* allowed, const Parts& parts, const std::int64_t* ends,
                         std::int32_t* prototypes, double* losses, const Exchange& settings,
                         unsigned threads);

}  // namespace dsir::gais
