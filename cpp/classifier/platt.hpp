#pragma once

#include <cstdint>
#include <span>

#include "classifier/linear_table.hpp"

namespace dsir::classifier {

/// Fits log-odds = slope * score + intercept to the scores of documents that nothing was learned
/// from (Platt 1999, by the steps of Lin, Lin & Weng 2007, with labels a little inside 0 and 1).
/// Both sides count equally, however many documents they have, and neither may be empty.
Line platt(std::span<const double> scores, std::span<const std::uint8_t> wanted);

/// The same for documents with grades from 0 to 1, which are the probabilities to be met: the mean
/// cross-entropy is least. Every document counts once. There must be one.
Line platt_graded(std::span<const double> scores, std::span<const double> grades);

}  // namespace dsir::classifier
