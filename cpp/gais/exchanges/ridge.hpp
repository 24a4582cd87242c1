#pragma once

#include <cstdint>
#include <vector>

namespace dsir::gais::exchanges {

/// Ridge regression on the products of the rows kept, one against the rest: the coefficients W of
/// (K + I) W = T, where T is 1 for the row's own class and -1 for the others. The score of a class
/// for a row is the sum over the rows kept of their product times their coefficient.
///
/// @param products [size, size], K; the upper triangle is not read. Overwritten.
/// @param labels [size], 0 to classes - 1
/// @param coefficients [classes, size]
void ridge_coefficients(std::vector<float>& products, const std::vector<std::int32_t>& labels,
                        std::int32_t classes, std::vector<float>& coefficients);

}  // namespace dsir::gais::exchanges
