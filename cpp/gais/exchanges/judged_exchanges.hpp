#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gais/exchanges/kept_rows.hpp"
#include "gais/exchanges/sparse_rows.hpp"

namespace dsir::gais::exchanges {

enum class ExchangeMetric { kAccuracy, kBalancedAccuracy, kMacroF1 };

struct ExchangeSettings {
    std::int64_t tries = 0;           ///< for each row kept
    std::int32_t most_exchanged = 1;  ///< rows of a try at first; fewer and fewer, one in the end
    ExchangeMetric metric = ExchangeMetric::kAccuracy;
    std::uint64_t seed = 0;
};

/// The rows kept, and what judges trained on them made of the rows that are not: before any
/// exchange and after all of them, tallies [judges][classes].
struct Exchanged {
    std::vector<std::int32_t> kept;
    std::array<std::vector<Tally>, 2> tallies;
};

/// Exchanges rows kept for others while three classifiers, trained on the rows kept, do better on
/// the rows that are not: multinomial naive Bayes, ridge regression and 1-NN by products. A try
/// exchanges a few random rows at once, and is taken if the mean of the metric over the three gets
/// better. No class loses its last row.
///
/// Everything is computed by one thread in one order, so that the result is the same on every
/// machine. The products of all members with the rows kept are in memory: 4 bytes each.
///
/// @param table rows of length 1, or without entries; no value is negative
/// @param labels [table.rows], 0 to classes - 1
/// @param members the rows that take part, ascending
/// @param kept the members kept at first, each once
Exchanged judged_exchanges(const SparseRowsView& table, const std::int32_t* labels,
                           std::int32_t classes, std::span<const std::int32_t> members,
                           std::span<const std::int32_t> kept, const ExchangeSettings& settings);

}  // namespace dsir::gais::exchanges
