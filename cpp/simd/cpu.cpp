#include "simd/cpu.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#if defined(__x86_64__) || defined(_M_X64)
#define DSIR_X86 1
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace dsir::simd {
namespace {

/// The widths that this CPU has, least preferred first.
std::span<const Level> levels() {
#ifdef DSIR_X86
    static constexpr Level kAll[] = {Level::scalar, Level::avx2, Level::avx512};
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                      __builtin_cpu_supports("bmi2");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                        __builtin_cpu_supports("avx512vbmi") &&
                        __builtin_cpu_supports("avx512vbmi2");
    return std::span(kAll).first(!avx2 ? 1 : !avx512 ? 2 : 3);
#elif defined(__aarch64__)
    static constexpr Level kAll[] = {Level::scalar, Level::neon};
    return kAll;
#else
    static constexpr Level kAll[] = {Level::scalar};
    return kAll;
#endif
}

Level chosen() {
    const char* wish = std::getenv("DSIR_SIMD");
    if (wish == nullptr || *wish == '\0') return levels().back();
    for (const Level level : {Level::scalar, Level::neon, Level::avx2, Level::avx512}) {
        if (name_of(level) != std::string(wish)) continue;
        for (const Level present : levels()) {
            if (level == present) return level;
        }
        throw std::invalid_argument("DSIR_SIMD=" + std::string(wish) +
                                    ": this CPU does not have it; unset DSIR_SIMD");
    }
    throw std::invalid_argument("DSIR_SIMD=" + std::string(wish) +
                                ": expected scalar, neon, avx2 or avx512, or unset");
}

}  // namespace

Level active_level() {
    static const Level level = chosen();
    return level;
}

std::span<const Level> levels_up_to_active() {
    const std::span<const Level> all = levels();
    std::size_t count = 1;
    while (all[count - 1] != active_level()) ++count;
    return all.first(count);
}

bool has_sha256_instructions() {
#ifdef DSIR_X86
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    // Leaf 7, EBX bit 29. In gcc 10, __builtin_cpu_supports has no name for it.
    static const bool present = __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 &&
                                ((b >> 29) & 1U) != 0 && __builtin_cpu_supports("sse4.1");
    return present && active_level() != Level::scalar;
#elif defined(__aarch64__) && defined(__linux__)
    static const bool present = (getauxval(AT_HWCAP) & HWCAP_SHA2) != 0;
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
        case Level::neon:
            return "neon";
        case Level::scalar:
            break;
    }
    return "scalar";
}

}  // namespace dsir::simd
