#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

namespace dsir::simd {

/// How many bytes behind its output `JsonStringKernels::copy` may write.
constexpr std::size_t kJsonSlack = 64;

/// What takes JSON strings apart. Plain characters are all but '"', '\\' and those below U+0020.
struct JsonStringKernels {
    /// Passes over plain characters. Returns the first byte that is none, or `end`; sets
    /// `beyond_ascii` where one of those passed over is 0x80 or more, and leaves it otherwise.
    using Skip = const std::uint8_t* (*)(const std::uint8_t* at, const std::uint8_t* end,
                                         bool& beyond_ascii);
    /// The same, and copies them. Up to kJsonSlack bytes behind what is copied may be written.
    using Copy = const std::uint8_t* (*)(const std::uint8_t* at, const std::uint8_t* end,
                                         std::uint8_t* out, bool& beyond_ascii);
    /// Whether bytes are UTF-8, by every rule of the standard.
    using ValidUtf8 = bool (*)(const std::uint8_t* at, const std::uint8_t* end);

    Skip skip;
    Copy copy;
    ValidUtf8 valid_utf8;
};

/// The kernels of that width. Widths the build does not have fall back to scalar. None reads
/// behind `end`.
const JsonStringKernels& json_string_kernels(Level level);

extern const JsonStringKernels kJsonStringsScalar;
extern const JsonStringKernels kJsonStringsNeon;
extern const JsonStringKernels kJsonStringsAvx2;
extern const JsonStringKernels kJsonStringsAvx512;

}  // namespace dsir::simd
