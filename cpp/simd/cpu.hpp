#pragma once

namespace dsir::simd {

/// Kernel widths, in the order in which they are preferred. Every one gives the same bits.
enum class Level { scalar = 0, avx2 = 1 };

/// What the kernels use: the widest this CPU has, or what the environment variable DSIR_SIMD
/// (scalar, avx2) names. Read once, at the first call.
/// Throws std::invalid_argument where DSIR_SIMD names something unknown or not on this CPU.
Level active_level();

/// Whether the CPU has SHA-256 instructions that the active level may use.
bool has_sha256_instructions();

/// "scalar" or "avx2".
const char* name_of(Level level);

}  // namespace dsir::simd
