#include "simd/code_points.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "check.hpp"
#include "simd/byte_steps.hpp"
#include "unicode/utf8.hpp"

// The kernels against decoding one by one.

namespace {

using namespace dsir::simd;
using dsir::test::Random;
using dsir::test::rounds;
using Numbers = std::vector<std::uint16_t>;

constexpr bool is_space(char32_t c) {
    return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1C && c <= 0x1F);
}

/// Numbers of all characters, but for white space, U+3000 among it, and those from U+A000 on.
Numbers make_table(bool lower) {
    Numbers table(0x10000);
    for (std::uint32_t c = 0; c < 0x10000; ++c) {
        const bool upper = lower && c >= 'A' && c <= 'Z';
        table[c] = static_cast<std::uint16_t>(c < 0x80 ? c + (upper ? 0x20 : 0) : c ^ 0x155);
        if (is_space(c) || c == 0x3000) table[c] = kSpaceEntry;
        if (c >= 0xA000) table[c] = static_cast<std::uint16_t>(kLeastSpecial + c % 0xFF);
    }
    return table;
}

ByteSteps steps_of(const Numbers& table) {
    ByteSteps steps;
    for (char32_t c = 0; c < 0x800; ++c) {
        const bool space = table[c] == kSpaceEntry;
        steps.set(c, space ? ByteSteps::kNothing : ByteSteps::kOneNumber | table[c]);
    }
    return steps;
}

void add(std::string& text, char32_t c) {
    std::uint8_t bytes[4];
    text.append(reinterpret_cast<const char*>(bytes), dsir::unicode::encode_utf8(c, bytes));
}

/// Mostly characters of the table, in stretches of one script each.
std::string random_text(Random& random, bool broken) {
    std::string text;
    const std::size_t size = random.below(3000);
    while (text.size() < size) {
        const std::size_t kind = random.below(broken ? 60 : 50);
        for (std::size_t n = random.below(90); n > 0; --n) {
            const auto some = [&](std::size_t from, std::size_t to) {
                return static_cast<char32_t>(from + random.below(to - from));
            };
            if (kind < 20 || random.below(3) == 0) add(text, some(0, 0x80));
            if (kind >= 20 && kind < 30) add(text, some(0x80, 0x800));
            if (kind >= 30 && kind < 48) add(text, some(0x800, 0xA000));
            if (kind == 48) add(text, 0x3000);
        }
        if (kind == 49) add(text, static_cast<char32_t>(0xFFFF + random.below(4) - 2));
        if (kind >= 50) text += static_cast<char>(0x80 + random.below(0x80));
    }
    return text;
}

struct Expected {
    Numbers code_points;
    std::vector<std::size_t> ends;  ///< of the characters, in bytes
};

/// The characters before the first that a kernel does not take.
Expected decode(const std::string& text, std::size_t from, std::size_t to) {
    Expected expected;
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    for (std::size_t at = from; at < to;) {
        const auto decoded = dsir::unicode::decode_utf8(bytes + at, bytes + to);
        if (decoded.length == 0 || decoded.length > 3) break;
        at += decoded.length;
        expected.code_points.push_back(static_cast<std::uint16_t>(decoded.code_point));
        expected.ends.push_back(at - from);
    }
    return expected;
}

/// Whether the text has three bytes that would be a surrogate, which kernels may take.
bool has_surrogate(const std::string& text) {
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        if (text[i] == '\xED' && static_cast<std::uint8_t>(text[i + 1]) >= 0xA0) return true;
    }
    return false;
}

TEST(code_points_of_blocks) {
    Random random(41);
    for (int round = 0; round < rounds(2000); ++round) {
        std::string text = random_text(random, round % 2 == 0);
        if (has_surrogate(text)) continue;
        text += std::string(kBlockRead, ' ');
        const std::size_t size = text.size() - kBlockRead;
        for (std::size_t at = 0; at < size; at += 1 + random.below(64)) {
            if ((static_cast<std::uint8_t>(text[at]) & 0xC0) == 0x80) continue;
            const Expected expected = decode(text, at, at + 64);
            const Expected beyond = decode(text, at, std::min(at + 67, text.size()));
            const bool all_good = !beyond.ends.empty() && beyond.ends.back() >= 64;
            for (const Level level : levels_up_to_active()) {
                Numbers out(64 + kCodePointSlack);
                const auto taken = code_point_kernels(level).code_points(
                    reinterpret_cast<const std::uint8_t*>(text.data()) + at, out.data());
                out.resize(taken.characters);
                if (taken.characters == 0) {
                    CHECK_EQUAL(taken.bytes, 0);
                    CHECK(!all_good);
                    continue;
                }
                // All of the block, or all before a character that is not taken.
                CHECK(out == expected.code_points);
                CHECK_EQUAL(taken.bytes, expected.ends.back());
            }
        }
    }
}

TEST(numbers_of_characters) {
    Random random(42);
    for (const bool lower : {false, true}) {
        const Numbers table = make_table(lower);
        const ByteSteps steps = steps_of(table);
        for (int round = 0; round < rounds(2000); ++round) {
            const std::string text = random_text(random, round % 2 == 0);
            if (has_surrogate(text)) continue;
            const Expected decoded = decode(text, 0, text.size());
            std::size_t whole = 0;  // where the first character without a number is
            for (std::size_t i = 0; i < decoded.ends.size(); ++i) {
                const std::uint16_t number = table[decoded.code_points[i]];
                if (number >= kLeastSpecial && number != kSpaceEntry) break;
                whole = decoded.ends[i];
            }
            for (const Level level : levels_up_to_active()) {
                Numbers out(text.size() + 2 * kCodePointSlack);
                const auto* const begin = reinterpret_cast<const std::uint8_t*>(text.data());
                const auto taken = code_point_kernels(level).number_characters(
                    begin, begin + text.size(), {table.data(), lower, steps}, out.data());
                CHECK(taken.bytes <= whole);
                CHECK(taken.bytes + 64 > whole || taken.bytes + kBlockRead > text.size());
                Numbers expected;
                for (std::size_t i = 0; i < decoded.ends.size(); ++i) {
                    if (decoded.ends[i] > taken.bytes) break;
                    const std::uint16_t number = table[decoded.code_points[i]];
                    if (number != kSpaceEntry) expected.push_back(number);
                }
                out.resize(taken.characters);
                CHECK(out == expected);
            }
        }
    }
}

// Two bytes that are not UTF-8 after each first byte, at every place of a block.
TEST(blocks_that_are_not_utf8) {
    const Numbers table = make_table(true);
    const ByteSteps steps = steps_of(table);
    for (unsigned first = 0x80; first < 0x100; ++first) {
        for (const unsigned second : {0x20U, 0x41U, 0x80U, 0x9FU, 0xA0U, 0xBFU, 0xC3U, 0xE3U}) {
            for (const char* const after : {"a", "\x80", "\x80\x80", "\xbf\xbf\xbf"}) {
                for (std::size_t at = 0; at < 64; ++at) {
                    const std::string text = std::string(at, 'a') + static_cast<char>(first) +
                                             static_cast<char>(second) + after +
                                             std::string(192, 'b');
                    if (has_surrogate(text)) continue;
                    const Expected decoded = decode(text, 0, text.size());
                    const std::size_t good = decoded.ends.empty() ? 0 : decoded.ends.back();
                    for (const Level level : levels_up_to_active()) {
                        Numbers out(text.size() + 2 * kCodePointSlack);
                        const auto* const begin =
                            reinterpret_cast<const std::uint8_t*>(text.data());
                        const auto taken = code_point_kernels(level).number_characters(
                            begin, begin + text.size(), {table.data(), true, steps}, out.data());
                        CHECK(taken.bytes <= good);
                    }
                }
            }
        }
    }
}

}  // namespace
