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
    if (__builtin_cpu_supports("avx2")) return Level::avx2;
#endif
    return Level::scalar;
}

Level chosen() {
    const char* wish = std::getenv("DSIR_SIMD");
    if (wish == nullptr || *wish == '\0') return widest();
    for (const Level level : {Level::scalar, Level::avx2}) {
        if (name_of(level) != std::string(wish)) continue;
        if (level <= widest()) return level;
        throw std::invalid_argument("DSIR_SIMD=" + std::string(wish) +
                                    ": this CPU does not have it; unset DSIR_SIMD");
    }
    throw std::invalid_argument("DSIR_SIMD=" + std::string(wish) +
                                ": expected scalar or avx2, or unset");
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
    return level == Level::avx2 ? "avx2" : "scalar";
}

}  // namespace dsir::simd
