#pragma once

#include <span>

namespace dsir::simd {

/// Kernel widths, in the order in which they are preferred. Every one gives the same bits.
///
/// neon stands for what every AArch64 has; avx2 for AVX2, BMI1 and BMI2 (2013 and later); avx512
/// for these and AVX-512 F, BW, DQ, VL, VBMI and VBMI2 (Ice Lake, Zen 4 and later).
enum class Level { scalar = 0, neon = 1, avx2 = 2, avx512 = 3 };

/// What the kernels use: the widest this CPU has, or what the environment variable DSIR_SIMD
/// (scalar, neon, avx2, avx512) names. Read once, at the first call.
/// Throws std::invalid_argument where DSIR_SIMD names something unknown or not on this CPU.
Level active_level();

/// Scalar, and what else this CPU has up to the active level, in this order: for tests that hold
/// one against the other. Throws as active_level() does.
std::span<const Level> levels_up_to_active();

/// Whether the CPU has SHA-256 instructions that the active level may use.
bool has_sha256_instructions();

/// "scalar", "neon", "avx2" or "avx512".
const char* name_of(Level level);

}  // namespace dsir::simd
