#include "simd/classify.hpp"

#include <array>
#include <cstddef>

namespace dsir::simd {
namespace {

constexpr std::uint8_t kWord = 1;
constexpr std::uint8_t kSpace = 2;
constexpr std::uint8_t kNonAscii = 4;

constexpr std::array<std::uint8_t, 256> make_classes() {
    std::array<std::uint8_t, 256> classes{};
    for (unsigned c = 0; c < 256; ++c) {
        const bool word =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        const bool space = (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
        classes[c] = word ? kWord : space ? kSpace : c >= 0x80 ? kNonAscii : 0;
    }
    return classes;
}

constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

}  // namespace

BlockMasks classify_scalar(const std::uint8_t* in, std::uint8_t* lowered) {
    BlockMasks masks{0, 0, 0};
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint8_t byte = in[i];
        const std::uint64_t kind = kClasses[byte];
        masks.word |= (kind & kWord) << i;
        masks.space |= ((kind & kSpace) >> 1) << i;
        masks.non_ascii |= (kind >> 2) << i;
        const bool upper = static_cast<std::uint8_t>(byte - 'A') < 26;
        lowered[i] = static_cast<std::uint8_t>(byte + (upper ? 0x20 : 0));
    }
    return masks;
}

Classify classify_kernel(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx2) return classify_avx2;
#endif
    (void)level;
    return classify_scalar;
}

}  // namespace dsir::simd
