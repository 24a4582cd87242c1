#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

namespace dsir::simd {

/// Adds rows of eight integers, 64 bytes aligned to 64, to `sums`: those of the table that `chosen`
/// names. Where the sums overflow they wrap.
using AddRows = void (*)(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                         std::int64_t* sums);

/// The kernel of that width. Widths the build does not have fall back to scalar.
AddRows add_rows_kernel(Level level);

void add_rows_scalar(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                     std::int64_t* sums);
void add_rows_avx2(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                   std::int64_t* sums);
void add_rows_avx512(const std::int64_t* table, const std::uint32_t* chosen, std::size_t count,
                     std::int64_t* sums);

}  // namespace dsir::simd
