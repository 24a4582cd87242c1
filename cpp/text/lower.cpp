#include "text/lower.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "simd/cut.hpp"
#include "simd/json_strings.hpp"
#include "unicode/utf8.hpp"

namespace dsir::text {

bool is_final_sigma(const std::uint8_t* begin, const std::uint8_t* at, const std::uint8_t* end) {
    const std::uint8_t* before = at;
    bool cased_before = false;
    while (before > begin) {
        const unicode::Decoded previous = unicode::decode_utf8_before(begin, before);
        if (previous.length == 0) return false;
        const unicode::CharacterProperties& properties =
            unicode::properties_of(previous.code_point);
        before -= previous.length;
        if (properties.case_ignorable == 0) {
            cased_before = properties.cased != 0;
            break;
        }
    }
    if (!cased_before) return false;
    for (const std::uint8_t* after = at + 2; after < end;) {
        const unicode::Decoded following = unicode::decode_utf8(after, end);
        if (following.length == 0) return false;
        const unicode::CharacterProperties& properties =
            unicode::properties_of(following.code_point);
        if (properties.case_ignorable == 0) return properties.cased == 0;
        after += following.length;
    }
    return true;
}

namespace {

/// How many bytes a character has that begins with this byte beyond ASCII, if it is UTF-8.
std::size_t length_by_lead(std::uint8_t lead) {
    return lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
}

/// The lower case of a character that is not special.
char32_t lower_of(char32_t code_point, const unicode::CharacterProperties& properties) {
    return static_cast<char32_t>(static_cast<std::int32_t>(code_point) + properties.lower_delta);
}

/// Lowers the characters beyond ASCII of a block in place, as far as they keep their length. `left`
/// has the bytes that are not lowered yet, `lowered` the block with its ASCII in lower case.
/// Returns how many bytes are done: up to a character that is not UTF-8, crosses the end of the
/// block, or whose lower case has another length or depends on its neighbours.
std::size_t lower_block(const std::uint8_t* at, const std::uint8_t* end, std::uint64_t left,
                        std::uint8_t* lowered) {
    while (left != 0) {
        const auto i = static_cast<std::size_t>(std::countr_zero(left));
        // Most blocks end within a character. The next block decodes it.
        if (i + length_by_lead(at[i]) > 64) return i;
        const unicode::Decoded decoded = unicode::decode_utf8(at + i, end);
        if (decoded.length == 0 || i + decoded.length > 64) return i;
        const unicode::CharacterProperties& properties = unicode::properties_of(decoded.code_point);
        if (properties.special != 0) return i;
        if (properties.lower_delta != 0) {
            std::uint8_t bytes[4];
            const char32_t lower = lower_of(decoded.code_point, properties);
            if (unicode::encode_utf8(lower, bytes) != decoded.length) return i;
            for (unsigned k = 0; k < decoded.length; ++k) lowered[i + k] = bytes[k];
        }
        left &= ~(((std::uint64_t{1} << decoded.length) - 1) << i);
    }
    return 64;
}

/// Writes the text [at, end) to `out` in lower case, block by block. Where lower_block() stops it
/// calls one(at), which writes the character there itself and returns its bytes in the text, or 0
/// to stop. `out` then is where the text written ends. Returns whether the end was reached.
template <class One>
bool lower_blocks(const std::uint8_t* at, const std::uint8_t* end, std::uint8_t*& out, One&& one) {
    const simd::CutKernels& kernels = simd::cut_kernels(simd::active_level());
    while (at < end) {
        const auto available = static_cast<std::size_t>(end - at);
        std::uint8_t padded[64] = {};
        const std::uint8_t* block = at;
        if (available < 64) {
            std::memcpy(padded, at, available);
            block = padded;
        }
        const std::uint64_t left = kernels.lower(block, out);
        std::size_t done = 64;
        if (left != 0) done = lower_block(at, end, left, out);
        done = std::min(done, available);
        at += done;
        out += done;
        if (done != 0) continue;
        const std::size_t length = one(at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

}  // namespace

std::optional<std::size_t> lower(std::string_view document, std::uint8_t* out) {
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(document.data());
    const std::uint8_t* const end = begin + document.size();
    const auto put = [&out](char32_t lowered, unicode::Kind) {
        out += unicode::encode_utf8(lowered, out);
    };
    std::uint8_t* const first = out;
    const bool all = lower_blocks(begin, end, out, [&](const std::uint8_t* at) -> std::size_t {
        // The character that begins here, whatever it becomes.
        const unicode::Decoded decoded = unicode::decode_utf8(at, end);
        if (decoded.length == 0) return 0;
        const unicode::CharacterProperties& properties = unicode::properties_of(decoded.code_point);
        if (properties.special != 0) {
            lower_special(decoded.code_point, begin, at, end, put);
        } else {
            put(lower_of(decoded.code_point, properties), unicode::Kind{properties.kind});
        }
        return decoded.length;
    });
    if (!all) return std::nullopt;
    return static_cast<std::size_t>(out - first);
}

bool lower_in_place(std::string_view document, std::uint8_t* out,
                    std::vector<std::uint32_t>& left) {
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(document.data());
    const std::uint8_t* const end = begin + document.size();
    return lower_blocks(begin, end, out, [&](const std::uint8_t* at) -> std::size_t {
        const unicode::Decoded decoded = unicode::decode_utf8(at, end);
        if (decoded.length == 0) return 0;
        const unicode::CharacterProperties& properties = unicode::properties_of(decoded.code_point);
        std::uint8_t lowered[4];
        const bool stays = properties.special == 0 &&
                           unicode::encode_utf8(lower_of(decoded.code_point, properties),
                                                lowered) == decoded.length;
        if (!stays) left.push_back(static_cast<std::uint32_t>(at - begin));
        std::memcpy(out, stays ? lowered : at, decoded.length);
        out += decoded.length;
        return decoded.length;
    });
}

bool is_utf8(std::string_view bytes) {
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return simd::json_string_kernels(simd::active_level()).valid_utf8(begin, begin + bytes.size());
}

}  // namespace dsir::text
