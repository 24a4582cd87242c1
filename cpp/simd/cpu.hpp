#pragma once

#include <span>

namespace dsir::simd {

/// The widths of the kernels, least preferred first. Kernels of every width give the same bits.
///
/// neon is what every AArch64 has. avx2 stands for AVX2, BMI1 and BMI2 (2013 and later). avx512
/// adds AVX-512 F, BW, DQ, VL, VBMI and VBMI2 (Ice Lake, Zen 4 and later).
enum class Level { scalar = 0, neon = 1, avx2 = 2, avx512 = 3 };

/// The width that the kernels use: the widest that this CPU has, or the one that the environment
/// variable DSIR_SIMD names (scalar, neon, avx2 or avx512). The variable is read once, at the first
/// call. Throws std::invalid_argument if DSIR_SIMD names an unknown width or one that this CPU does
/// not have.
Level active_level();

/// Scalar and the other widths that this CPU has, up to the active one, narrowest first. Tests use
/// the list to compare kernels with each other. Throws what active_level() throws.
std::span<const Level> levels_up_to_active();

/// Whether the CPU has SHA-256 instructions and the active level allows their use.
bool has_sha256_instructions();

/// The name of a width: "scalar", "neon", "avx2" or "avx512".
const char* name_of(Level level);

}  // namespace dsir::simd
