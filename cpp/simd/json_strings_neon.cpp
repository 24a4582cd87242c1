#include "simd/json_strings_loop.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <bit>
#include <cstring>

#include "simd/neon_block.hpp"

namespace dsir::simd {
namespace {

struct Neon {
    using Mask = std::uint64_t;
    static constexpr std::size_t kSize = 64;

    static NeonBlock zero() { return {}; }
    static NeonBlock load(const std::uint8_t* at) { return load_block(at); }
    static NeonBlock load_some(const std::uint8_t* at, std::size_t size) {
        std::uint8_t bytes[kSize] = {};
        if (size != 0) std::memcpy(bytes, at, size);
        return load_block(bytes);
    }
    static void store(std::uint8_t* out, const NeonBlock& bytes) { store_block(out, bytes); }
    static Mask first(std::size_t size) { return size >= 64 ? ~Mask{0} : (Mask{1} << size) - 1; }
    static Mask high(const NeonBlock& bytes) { return high_bits_of(bytes); }
    static bool has_high(const NeonBlock& bytes) { return has_high_bits(bytes); }
    static std::size_t lowest(Mask mask) {
        return static_cast<std::size_t>(std::countr_zero(mask));
    }
    static Mask stops(const NeonBlock& bytes) {
        const NeonBlock stops = each(bytes, [](uint8x16_t some) {
            const uint8x16_t quote = vceqq_u8(some, vdupq_n_u8('"'));
            const uint8x16_t backslash = vceqq_u8(some, vdupq_n_u8('\\'));
            return vorrq_u8(vorrq_u8(quote, backslash), vcltq_u8(some, vdupq_n_u8(0x20)));
        });
        // Most blocks have no stop, and finding that out is cheaper than finding the places of
        // stops.
        return has_high_bits(stops) ? bits_of(stops) : 0;
    }
    static NeonBlock either(const NeonBlock& a, const NeonBlock& b) {
        NeonBlock both;
        for (int i = 0; i < 4; ++i) both.val[i] = vorrq_u8(a.val[i], b.val[i]);
        return both;
    }
    static bool is_zero(const NeonBlock& bytes) { return vmaxvq_u8(any_of(bytes)) == 0; }

    static NeonBlock utf8_errors(const NeonBlock& before, const NeonBlock& bytes) {
        NeonBlock errors;
        uint8x16_t last = before.val[3];
        for (int i = 0; i < 4; ++i) {
            errors.val[i] = errors_of_16(last, bytes.val[i]);
            last = bytes.val[i];
        }
        return errors;
    }

  private:
    static uint8x16_t errors_of_16(uint8x16_t before, uint8x16_t bytes) {
        const uint8x16_t back1 = vextq_u8(before, bytes, 15);
        const uint8x16_t back2 = vextq_u8(before, bytes, 14);
        const uint8x16_t back3 = vextq_u8(before, bytes, 13);
        const uint8x16_t low = vandq_u8(back1, vdupq_n_u8(0x0F));
        const uint8x16_t pair =
            vandq_u8(vandq_u8(vqtbl1q_u8(vld1q_u8(kFirstHigh), vshrq_n_u8(back1, 4)),
                              vqtbl1q_u8(vld1q_u8(kFirstLow), low)),
                     vqtbl1q_u8(vld1q_u8(kSecondHigh), vshrq_n_u8(bytes, 4)));
        // E0 and above need a third byte, F0 and above a fourth.
        const uint8x16_t third = vqsubq_u8(back2, vdupq_n_u8(0x60));
        const uint8x16_t fourth = vqsubq_u8(back3, vdupq_n_u8(0x70));
        const uint8x16_t wanted = vandq_u8(vorrq_u8(third, fourth), vdupq_n_u8(0x80));
        return veorq_u8(wanted, pair);
    }
};

}  // namespace

const JsonStringKernels kJsonStringsNeon = {skip_plain<Neon>, copy_plain<Neon>, is_utf8<Neon>};

}  // namespace dsir::simd
#endif
