#include "simd/cpu.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#if defined(__x86_64__) || defined(_M_X64)
#define DSIR_X86 1
#include <cpuid.h>
#endif

namespace dsir::simd {
namespace {

Level widest() {
#ifdef DSIR_X86
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                      __builtin_cpu_supports("bmi2");
    if (!avx2) return Level::scalar;
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512vbmi") &&
                        __builtin_cpu_supports("avx512vbmi2");
    return avx512 ? Level::avx512 : Level::avx2;
#else
    return Level::scalar;
#endif
}

Level chosen() {
    const char* wish = std::getenv("DSIR_SIMD");
    if (wish == nullptr || *wish == '\0') return widest();
    for (const Level level : {Level::scalar, Level::avx2, Level::avx512}) {
        if (name_of(level) != std::string(wish)) continue;
        if (level <= widest()) return level;
        throw std::invalid_argument("DSIR_SIMD=" + std::string(wish) +
                                    ": this CPU does not have it; unset DSIR_SIMD");
    }
    throw std::invalid_argument("DSIR_SIMD=" + std::string(wish) +
                                ": expected scalar, avx2 or avx512, or unset");
}

}  // namespace

Level active_level() {
    static const Level level = chosen();
    return level;
}

bool has_sha256_instructions() {
#ifdef DSIR_X86
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    // Leaf 7, EBX bit 29; gcc 10 has no name for it in __builtin_cpu_supports.
    static const bool present = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
                                ((b >> 29) & 1U) != 0 && __builtin_cpu_supports("sse4.1");
    return present && active_level() != Level::scalar;
#else
    return false;
#endif
}

const char* name_of(Level level) {
    switch (level) {
        case Level::avx512:
            return "avx512";
        case Level::avx2:
            return "avx2";
        case Level::scalar:
            break;
    }
    return "scalar";
}

}  // namespace dsir::simd
