#pragma once

#include <cstdint>
#include <vector>

#include "numeric/rows.hpp"

/// Rows that stand for others: the middles of clusters, and a search that exchanges them.
///
/// The work is cut into parts that do not see each other, and one thread does each part. The result
/// depends on the parts and the seed, but not on the number of threads.
namespace dsir::gais {

/// Part g has the rows members[offsets[g] .. offsets[g + 1]). A view: the caller owns the arrays.
struct Parts {
    const std::int32_t* members;
    const std::int64_t* offsets;
    std::int64_t count;
};

/// Clusters each part with k-means (Lloyd, from k-means++ seeds with a few draws each), and then
/// takes for every centre the nearest row that is not taken yet. `wanted[g]` is the number of rows
/// to take from part g, at most its size. Returns the rows, part by part, in the order of the
/// centres.
std::vector<std::int32_t> cluster_prototypes(const numeric::DenseRows& rows, const Parts& parts,
                                             const std::int64_t* wanted, std::int64_t iterations,
                                             std::uint64_t seed, unsigned threads);

class NearRows;

struct Exchange {
    double passes = 4.0;      ///< number of exchanges tried, per prototype
    double sharpness = 10.0;  ///< of the loss: how quickly a row counts as right or wrong
    double local = 0.7;       ///< share of the tries inside the prototype's own cluster
    std::uint64_t seed = 0;
};

/// Exchanges prototypes in each part as long as an exchange lowers the sum, over the rows of the
/// part, of 1 / (1 + exp(-sharpness (own - other) / (own + other))). Here `own` and `other` are the
/// distances to the nearest prototype of the row's class and of all other classes: the sum is a
/// smooth count of the rows that the nearest prototype gets wrong.
///
/// A prototype may be exchanged for a row of its class with allowed[row] != 0. Part g has the
/// prototypes [ends[g], ends[g + 1]), which are changed in place. `losses`, [2, parts], receives
/// the sums before and after. `near` are the near rows of the same rows, labels and parts, if they
/// are known, which make the search faster and change nothing else; nullptr if not.
void exchange_prototypes(const numeric::DenseRows& rows, const std::int32_t* labels,
                         const std::uint8_t* allowed, const Parts& parts, const std::int64_t* ends,
                         std::int32_t* prototypes, double* losses, const Exchange& settings,
                         unsigned threads, const NearRows* near = nullptr);

/// The nearest of a part's chosen rows, for each member of each part: row numbers in the order of
/// `parts.members`. Part g has the chosen rows of part g of `chosen`, at least one. Among equally
/// near rows the earlier one counts.
std::vector<std::int32_t> nearest_chosen(const numeric::DenseRows& rows, const Parts& parts,
                                         const Parts& chosen, unsigned threads);

}  // namespace dsir::gais
