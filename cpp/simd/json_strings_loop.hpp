#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/json_strings.hpp"

// The loops over JSON strings. `Width` is a type that belongs to the file that includes this one,
// so each file gets its own instances of these templates.

namespace dsir::simd {

/// Skips plain characters and, if `kCopies`, copies them.
template <class Width, bool kCopies>
const std::uint8_t* pass_plain(const std::uint8_t* at, const std::uint8_t* end, std::uint8_t* out,
                               bool& beyond_ascii) {
    constexpr std::size_t kSize = Width::kSize;
    while (at != end) {
        const auto left = static_cast<std::size_t>(end - at);
        const auto bytes = left >= kSize ? Width::load(at) : Width::load_some(at, left);
        if constexpr (kCopies) Width::store(out, bytes);
        const typename Width::Mask there = Width::first(left);
        const typename Width::Mask stops = Width::stops(bytes) & there;
        typename Width::Mask high = Width::high(bytes);
        if (stops != 0) {
            // The bytes before the first stop.
            high &= (stops & (~stops + 1)) - 1;
            beyond_ascii |= high != 0;
            return at + Width::lowest(stops);
        }
        beyond_ascii |= high != 0;
        if (left <= kSize) return end;
        at += kSize;
        if constexpr (kCopies) out += kSize;
    }
    return end;
}

template <class Width>
const std::uint8_t* skip_plain(const std::uint8_t* at, const std::uint8_t* end,
                               bool& beyond_ascii) {
    return pass_plain<Width, false>(at, end, nullptr, beyond_ascii);
}

template <class Width>
const std::uint8_t* copy_plain(const std::uint8_t* at, const std::uint8_t* end, std::uint8_t* out,
                               bool& beyond_ascii) {
    return pass_plain<Width, true>(at, end, out, beyond_ascii);
}

/// Validates UTF-8 by looking up what a byte and the byte before it rule out (Keiser and Lemire
/// 2021, "Validating UTF-8 in less than one instruction per byte", arXiv 2010.03090).
template <class Width>
bool is_utf8(const std::uint8_t* at, const std::uint8_t* end) {
    constexpr std::size_t kSize = Width::kSize;
    auto before = Width::zero();
    auto wrong = Width::zero();
    for (;;) {
        const auto left = static_cast<std::size_t>(end - at);
        // The last block always ends with zeros, and before those no character may be open.
        const auto bytes = left >= kSize ? Width::load(at) : Width::load_some(at, left);
        if (Width::has_high(bytes) || Width::has_high(before)) {
            wrong = Width::either(wrong, Width::utf8_errors(before, bytes));
        }
        if (left < kSize) return Width::is_zero(wrong);
        before = bytes;
        at += kSize;
    }
}

// The errors that two consecutive bytes can show. The three tables say which errors a half of a
// byte allows; an error is there if all three allow it.
constexpr std::uint8_t kTooShort = 1;       // A lead byte without a continuation after it.
constexpr std::uint8_t kTooLong = 2;        // ASCII with a continuation after it.
constexpr std::uint8_t kOverlong3 = 4;      // E0 80 to E0 9F
constexpr std::uint8_t kTooLarge = 8;       // F4 90 and above
constexpr std::uint8_t kSurrogate = 16;     // ED A0 and above
constexpr std::uint8_t kOverlong2 = 32;     // C0, C1
constexpr std::uint8_t kTooLarge1000 = 64;  // F5 80 and above
constexpr std::uint8_t kOverlong4 = 64;     // F0 80 to F0 8F
constexpr std::uint8_t kContinuations =
    128;  // Two in a row: an error unless a third or fourth byte is due.
constexpr std::uint8_t kAnyLow = kTooShort | kTooLong | kContinuations;
constexpr std::uint8_t kAbove = kAnyLow | kTooLarge | kTooLarge1000;
constexpr std::uint8_t kSecond = kTooLong | kOverlong2 | kContinuations;

/// Indexed by the upper half of the first byte.
alignas(16) constexpr std::uint8_t kFirstHigh[16] = {
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kTooLong,
    kContinuations,
    kContinuations,
    kContinuations,
    kContinuations,
    kTooShort | kOverlong2,
    kTooShort,
    kTooShort | kOverlong3 | kSurrogate,
    kTooShort | kTooLarge | kTooLarge1000 | kOverlong4};
/// Indexed by the lower half of the first byte.
alignas(16) constexpr std::uint8_t kFirstLow[16] = {kAnyLow | kOverlong3 | kOverlong2 | kOverlong4,
                                                    kAnyLow | kOverlong2,
                                                    kAnyLow,
                                                    kAnyLow,
                                                    kAnyLow | kTooLarge,
                                                    kAbove,
                                                    kAbove,
                                                    kAbove,
                                                    kAbove,
                                                    kAbove,
                                                    kAbove,
                                                    kAbove,
                                                    kAbove,
                                                    kAbove | kSurrogate,
                                                    kAbove,
                                                    kAbove};
/// Indexed by the upper half of the second byte.
alignas(16) constexpr std::uint8_t kSecondHigh[16] = {
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort,
    kSecond | kOverlong3 | kTooLarge1000 | kOverlong4,
    kSecond | kOverlong3 | kTooLarge,
    kSecond | kSurrogate | kTooLarge,
    kSecond | kSurrogate | kTooLarge,
    kTooShort,
    kTooShort,
    kTooShort,
    kTooShort};

}  // namespace dsir::simd
