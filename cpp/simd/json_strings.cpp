#include "simd/json_strings.hpp"

#include <cstring>

#include "unicode/utf8.hpp"

namespace dsir::simd {
namespace {

constexpr std::uint64_t kEveryByte = 0x0101010101010101ULL;
constexpr std::uint64_t kHighBits = 0x80 * kEveryByte;

std::uint64_t eight_bytes(const std::uint8_t* at) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, 8);
    return bytes;
}

/// Nonzero if one of the eight bytes is below `limit`, which is at most 0x80.
std::uint64_t below(std::uint64_t bytes, std::uint64_t limit) {
    return (bytes - limit * kEveryByte) & ~bytes & kHighBits;
}

bool stops(std::uint8_t byte) {
    return byte == '"' || byte == '\\' || byte < 0x20;
}

template <bool kCopies>
const std::uint8_t* pass_plain_scalar(const std::uint8_t* at, const std::uint8_t* end,
                                      std::uint8_t* out, bool& beyond_ascii) {
    std::uint64_t seen = 0;
    while (end - at >= 8) {
        const std::uint64_t bytes = eight_bytes(at);
        const std::uint64_t stop = below(bytes, 0x20) | below(bytes ^ '"' * kEveryByte, 1) |
                                   below(bytes ^ '\\' * kEveryByte, 1);
        if (stop != 0) break;
        if constexpr (kCopies) {
            std::memcpy(out, at, 8);
            out += 8;
        }
        seen |= bytes;
        at += 8;
    }
    for (; at != end && !stops(*at); ++at) {
        if constexpr (kCopies) *out++ = *at;
        seen |= *at;
    }
    beyond_ascii |= (seen & kHighBits) != 0;
    return at;
}

const std::uint8_t* skip_scalar(const std::uint8_t* at, const std::uint8_t* end,
                                bool& beyond_ascii) {
    return pass_plain_scalar<false>(at, end, nullptr, beyond_ascii);
}

bool valid_utf8_scalar(const std::uint8_t* at, const std::uint8_t* end) {
    while (at != end) {
        if (end - at >= 8 && (eight_bytes(at) & kHighBits) == 0) {
            at += 8;
            continue;
        }
        const unicode::Decoded decoded = unicode::decode_utf8(at, end);
        if (decoded.length == 0) return false;
        at += decoded.length;
    }
    return true;
}

}  // namespace

const JsonStringKernels kJsonStringsScalar = {skip_scalar, pass_plain_scalar<true>,
                                              valid_utf8_scalar};

const JsonStringKernels& json_string_kernels(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level >= Level::avx512) return kJsonStringsAvx512;
    if (level >= Level::avx2) return kJsonStringsAvx2;
#elif defined(__aarch64__)
    if (level == Level::neon) return kJsonStringsNeon;
#endif
    (void)level;
    return kJsonStringsScalar;
}

}  // namespace dsir::simd
