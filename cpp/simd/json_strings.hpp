#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

namespace dsir::simd {

/// The number of bytes after its output that `JsonStringKernels::copy` may overwrite.
constexpr std::size_t kJsonSlack = 64;

/// Kernels that take JSON strings apart. A character is plain unless it is '"', '\\' or below
/// U+0020.
struct JsonStringKernels {
    /// Skips plain characters. Returns the first byte that is not plain, or `end`. Sets
    /// `beyond_ascii` if a skipped byte is 0x80 or more, and otherwise leaves it as it is.
    using Skip = const std::uint8_t* (*)(const std::uint8_t* at, const std::uint8_t* end,
                                         bool& beyond_ascii);
    /// Skips and copies plain characters. May overwrite up to kJsonSlack bytes after the copy.
    using Copy = const std::uint8_t* (*)(const std::uint8_t* at, const std::uint8_t* end,
                                         std::uint8_t* out, bool& beyond_ascii);
    /// Whether the bytes are UTF-8, by every rule of the standard.
    using ValidUtf8 = bool (*)(const std::uint8_t* at, const std::uint8_t* end);

    Skip skip;
    Copy copy;
    ValidUtf8 valid_utf8;
};

/// The kernels of a width. For a width that the build does not have, the scalar kernels. No kernel
/// reads at or after `end`.
const JsonStringKernels& json_string_kernels(Level level);

extern const JsonStringKernels kJsonStringsScalar;
extern const JsonStringKernels kJsonStringsNeon;
extern const JsonStringKernels kJsonStringsAvx2;
extern const JsonStringKernels kJsonStringsAvx512;

}  // namespace dsir::simd
