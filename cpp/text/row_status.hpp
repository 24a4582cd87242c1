#pragma once

#include <cstddef>
#include <cstdint>

namespace dsir::text {

/// What a kernel found in one row of a column of text.
enum class RowStatus : std::uint8_t {
    text = 0,
    null = 1,
    invalid_utf8 = 2,
    too_long = 3,  ///< more than kLargestDocument bytes
};

/// The most bytes that a document may have. Tokens are found and counted in 32 bits.
inline constexpr std::size_t kLargestDocument = std::size_t{1} << 31;

}  // namespace dsir::text
