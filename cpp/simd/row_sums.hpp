#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

namespace dsir::simd {

/// Adds the rows of the table that `chosen` names to `sums`. A row is eight integers (64 bytes) and
/// is aligned to 64 bytes. Sums that overflow wrap around.
using AddRows = void (*)(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                         std::int64_t* sums);

/// The kernel of a width. For a width that the build does not have, the scalar kernel.
AddRows add_rows_kernel(Level level);

void add_rows_scalar(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                     std::int64_t* sums);
void add_rows_avx2(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                   std::int64_t* sums);
void add_rows_avx512(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                     std::int64_t* sums);

}  // namespace dsir::simd
