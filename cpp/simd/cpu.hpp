#pragma once

namespace dsir::simd {

/// Kernel widths, in the order in which they are preferred. Every one gives the same bits.
///
/// avx2 stands for AVX2, BMI1 and BMI2 (2013 and later); avx512 for these and AVX-512 F, BW, DQ,
/// VL, VBMI and VBMI2 (Ice Lake, Zen 4 and later).
enum class Level { scalar = 0, avx2 = 1, avx512 = 2 };

/// What the kernels use: the widest this CPU has, or what the environment variable DSIR_SIMD
/// (scalar, avx2, avx512) names. Read once, at the first call.
/// Throws std::invalid_argument where DSIR_SIMD names something unknown or not on this CPU.
Level active_level();

/// Whether the CPU has SHA-256 instructions that the active level may use.
bool has_sha256_instructions();

/// "scalar", "avx2" or "avx512".
const char* name_of(Level level);

}  // namespace dsir::simd
