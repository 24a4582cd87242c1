#if defined(__aarch64__)
#include <arm_neon.h>

#include <bit>

#include "simd/cut_blocks.hpp"
#include "simd/neon_block.hpp"

namespace dsir::simd {
namespace {

// The classes of ASCII from the two halves of a byte. A class is the bytes whose upper half is in
// one set and whose lower half is in another, so each class has a bit in a table for either half.
constexpr std::uint8_t kDigit = 1;       // 30-39
constexpr std::uint8_t kToO = 2;         // 41-4F, 61-6F
constexpr std::uint8_t kFromP = 4;       // 50-5A, 70-7A
constexpr std::uint8_t kUnderscore = 8;  // 5F
constexpr std::uint8_t kControl = 16;    // 09-0D
constexpr std::uint8_t kSeparator = 32;  // 1C-1F
constexpr std::uint8_t kBlank = 64;      // 20
constexpr std::uint8_t kLetter = kToO | kFromP;
constexpr std::uint8_t kWord = kDigit | kLetter | kUnderscore;
constexpr std::uint8_t kSpace = kControl | kSeparator | kBlank;

class Neon {
  public:
    explicit Neon(const std::uint8_t* block) : block_(load_block(block)) {}

    std::uint64_t bytes_in(std::uint8_t first, std::uint8_t last) const {
        const uint8x16_t from = vdupq_n_u8(first);
        const uint8x16_t most = vdupq_n_u8(static_cast<std::uint8_t>(last - first));
        // The subtraction wraps, so one comparison is enough.
        return bits_of(each(block_, [from, most](uint8x16_t bytes) {
            return vcleq_u8(vsubq_u8(bytes, from), most);
        }));
    }

    std::uint64_t bytes_from(std::uint8_t first) const {
        const uint8x16_t least = vdupq_n_u8(first);
        return bits_of(each(block_, [least](uint8x16_t bytes) { return vcgeq_u8(bytes, least); }));
    }

    static BlockMasks classify(const std::uint8_t* in, std::uint8_t* lowered) {
        const uint8x16_t by_upper_half = {kControl, kSeparator,           kBlank, kDigit,
                                          kToO,     kFromP | kUnderscore, kToO,   kFromP};
        constexpr std::uint8_t kLow = kToO | kFromP | kDigit;
        const uint8x16_t by_lower_half = {kFromP | kDigit | kBlank,
                                          kLow,
                                          kLow,
                                          kLow,
                                          kLow,
                                          kLow,
                                          kLow,
                                          kLow,
                                          kLow,
                                          kLow | kControl,
                                          kLetter | kControl,
                                          kToO | kControl,
                                          kToO | kControl | kSeparator,
                                          kToO | kControl | kSeparator,
                                          kToO | kSeparator,
                                          kToO | kSeparator | kUnderscore};
        const NeonBlock block = load_block(in);
        const NeonBlock classes = each(block, [&](uint8x16_t bytes) {
            return vandq_u8(vqtbl1q_u8(by_upper_half, vshrq_n_u8(bytes, 4)),
                            vqtbl1q_u8(by_lower_half, vandq_u8(bytes, vdupq_n_u8(0x0F))));
        });
        const auto is = [&classes](std::uint8_t either) {
            return each(classes,
                        [either](uint8x16_t of) { return vtstq_u8(of, vdupq_n_u8(either)); });
        };
        const NeonBlock letters = is(kLetter);
        for (int i = 0; i < 4; ++i) {
            // Small letters have this bit already, so setting it changes capital letters only.
            const uint8x16_t bit = vandq_u8(letters.val[i], vdupq_n_u8(0x20));
            vst1q_u8(lowered + 16 * i, vorrq_u8(block.val[i], bit));
        }
        return {bits_of(is(kWord)), bits_of(is(kSpace)), high_bits_of(block)};
    }

    static std::uint64_t lower(const std::uint8_t* in, std::uint8_t* lowered) {
        const NeonBlock block = load_block(in);
        for (int i = 0; i < 4; ++i) {
            const uint8x16_t from_a = vsubq_u8(block.val[i], vdupq_n_u8('A'));
            const uint8x16_t upper = vcltq_u8(from_a, vdupq_n_u8(26));
            vst1q_u8(lowered + 16 * i, vaddq_u8(block.val[i], vandq_u8(upper, vdupq_n_u8(0x20))));
        }
        return high_bits_of(block);
    }

    /// Writes eight entries at a time, for the reason that the AVX2 kernel gives.
    static std::size_t append(std::uint64_t mask, std::uint32_t offset, std::uint32_t* out) {
        const auto count = static_cast<std::size_t>(std::popcount(mask));
        for (std::size_t done = 0; done < count; done += 8) {
            for (std::size_t i = 0; i < 8; ++i) {
                out[done + i] = offset + static_cast<std::uint32_t>(std::countr_zero(mask));
                mask &= mask - 1;
            }
        }
        return count;
    }

    static std::size_t pack(const std::uint8_t* block, std::uint64_t mask, std::uint8_t* out) {
        std::uint8_t* to = out;
        for (std::size_t i = 0; i < 64; ++i, mask >>= 1) {
            *to = block[i];
            to += mask & 1;
        }
        return static_cast<std::size_t>(to - out);
    }

  private:
    NeonBlock block_;
};

BlockMasks classify(const std::uint8_t* in, std::uint8_t* lowered) {
    return Neon::classify(in, lowered);
}

}  // namespace

const CutKernels kCutNeon = {classify,
                             classify_known<Neon>,
                             find_characters<Neon>,
                             lower_block<Neon>,
                             Neon::append,
                             cut_ascii<Neon>,
                             cut_part<Neon>,
                             drop_space<Neon>,
                             pass_sure<OfFormC<Neon>>,
                             pass_sure<OfFormKc<Neon>>};

}  // namespace dsir::simd
#endif
