#include "simd/cut.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <vector>

#include "ascii_classes.hpp"
#include "check.hpp"
#include "simd/classify.hpp"
#include "simd/cpu.hpp"
#include "unicode/unicode_tables.hpp"
#include "unicode/utf8.hpp"

namespace {

using dsir::simd::BlockMasks;
using dsir::simd::Level;
using dsir::simd::levels_up_to_active;
using dsir::test::Random;
using dsir::test::space;
using dsir::test::word;
using Block = std::array<std::uint8_t, 64>;

/// The class of an ASCII byte: w, p or a space.
char class_of(std::uint8_t c) {
    return word(c) ? 'w' : space(c) ? ' ' : 'p';
}

/// The arrays of a Cut.
struct CutRoom {
    explicit CutRoom(std::size_t bytes)
        : lowered(bytes + 64),
          starts(bytes + dsir::simd::kCutSlack),
          ends(bytes + 1 + dsir::simd::kCutSlack) {
        cut.bytes = lowered.data();
        cut.starts = starts.data();
        cut.ends = ends.data();
    }
    std::vector<std::uint8_t> lowered;
    std::vector<std::uint32_t> starts;
    std::vector<std::uint32_t> ends;
    dsir::simd::Cut cut{};
};

TEST(cutting_ascii_and_parts) {
    Random random(4);
    for (const Level level : levels_up_to_active()) {
        const auto& kernels = dsir::simd::cut_kernels(level);
        for (int round = 0; round < 400; ++round) {
            // Blocks of ASCII with short and long tokens, up to a block with a byte that is not
            // ASCII.
            const std::size_t blocks = random.below(6);
            const bool stops = random.below(2) == 0;
            std::string text;
            while (text.size() < 64 * (blocks + 1)) {
                const char* const alphabet = round % 4 == 0   ? "aB "
                                             : round % 4 == 1 ? "a!"
                                                              : "xY_9 .";
                const std::size_t letters = std::string(alphabet).size();
                text += std::string(1 + random.below(round % 5 == 0 ? 90 : 4),
                                    alphabet[random.below(letters)]);
            }
            if (stops) text[64 * blocks + random.below(64)] = '\xC3';
            const std::size_t most = blocks + (stops ? 1 : 0);
            CutRoom room(64 * (most + 1) + 1);
            const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
            CHECK_EQUAL(kernels.ascii(bytes, most, room.cut), blocks);
            if (stops) {
                Block lowered{};
                const BlockMasks masks =
                    dsir::simd::classify_scalar(bytes + 64 * blocks, lowered.data());
                CHECK_EQUAL(room.cut.stopped.word, masks.word);
                CHECK_EQUAL(room.cut.stopped.space, masks.space);
                CHECK_EQUAL(room.cut.stopped.non_ascii, masks.non_ascii);
                CHECK(std::equal(lowered.begin(), lowered.end(),
                                 room.cut.bytes + room.cut.bytes_size));
            }
            // Then part of a block, of classes that do not come from a text.
            const std::uint64_t word = random.below(~0ULL);
            const std::uint64_t punctuation = ~word & random.below(~0ULL);
            const std::size_t length = 1 + random.below(64);
            kernels.block(word, punctuation, length, room.cut);
            std::string classes;
            for (std::size_t i = 0; i < 64 * blocks; ++i) {
                const auto c = static_cast<std::uint8_t>(text[i]);
                classes += class_of(c);
            }
            for (std::size_t i = 0; i < length; ++i) {
                classes += ((word >> i) & 1) != 0 ? 'w' : ((punctuation >> i) & 1) != 0 ? 'p' : ' ';
            }
            std::vector<std::uint32_t> starts;
            std::vector<std::uint32_t> ends;
            char before = ' ';
            for (std::size_t i = 0; i < classes.size(); ++i) {
                if (classes[i] != before && before != ' ') ends.push_back(std::uint32_t(i));
                if (classes[i] != before && classes[i] != ' ') starts.push_back(std::uint32_t(i));
                before = classes[i];
            }
            room.starts.resize(room.cut.starts_size);
            room.ends.resize(room.cut.ends_size);
            CHECK_EQUAL(room.starts, starts);
            CHECK_EQUAL(room.ends, ends);
            CHECK_EQUAL(room.cut.bytes_size, classes.size());
            CHECK_EQUAL(room.cut.word_open, before == 'w' ? 1 : 0);
            CHECK_EQUAL(room.cut.punctuation_open, before == 'p' ? 1 : 0);
        }
    }
}

struct Placed {
    Block block;
    unsigned length;
};

/// The UTF-8 of a character in a block of zeros, as far as the block reaches, and its length.
Placed block_of(char32_t c, std::size_t at) {
    std::uint8_t bytes[4];
    Placed placed{{}, dsir::unicode::encode_utf8(c, bytes)};
    for (unsigned i = 0; i < placed.length && at + i < 64; ++i) placed.block[at + i] = bytes[i];
    return placed;
}

// The kernels know some characters without a table. The test asks them about every character.
TEST(known_characters_are_those_of_the_tables) {
    for (const Level level : levels_up_to_active()) {
        const auto& kernels = dsir::simd::cut_kernels(level);
        long found = 0;
        for (char32_t c = 0; c < 0x110000; ++c) {
            if (c >= 0xD800 && c < 0xE000) continue;
            const std::size_t at = c % 65;  // also beyond the end
            const auto [block, length] = block_of(c, at);
            const auto masks = kernels.known(block.data());
            dsir::simd::CharacterMasks characters;
            kernels.characters(block.data(), characters);
            CHECK_EQUAL_FOR(std::uint32_t(c), characters.known.word, masks.word);
            CHECK_EQUAL_FOR(std::uint32_t(c), characters.known.punctuation, masks.punctuation);
            const std::uint64_t all =
                at + length <= 64 ? ((std::uint64_t{1} << length) - 1) << at : 0;
            const auto& properties = dsir::unicode::properties_of(c);
            const auto kind = dsir::unicode::Kind{properties.kind};
            const bool stays = properties.lower_delta == 0 && properties.special == 0;
            const bool word = masks.word == all && kind == dsir::unicode::Kind::word && stays;
            const bool punctuation =
                masks.punctuation == all && kind == dsir::unicode::Kind::punctuation && stays;
            if (masks.word != 0 || masks.punctuation != 0) {
                CHECK_EQUAL_FOR(std::uint32_t(c), word != punctuation, true);
                CHECK_EQUAL_FOR(std::uint32_t(c), (masks.word & masks.punctuation), 0);
                CHECK(c >= 0x80);
                ++found;
            }
        }
        if (level == Level::scalar) {
            CHECK_EQUAL(found, 0);
        } else {
            CHECK(found > 20000);
        }
    }
}

TEST(known_characters_are_utf8) {
    Random random(6);
    const std::vector<std::uint8_t> usual = {0xC3, 0xE3, 0xE4, 0xE5, 0xE9, 0xEF, 0x81, 0x82,
                                             0x83, 0x80, 0xBC, 0x9F, 0xB7, 0xA0, 'a',  ' '};
    for (int round = 0; round < 20000; ++round) {
        Block block{};
        for (auto& byte : block) byte = usual[random.below(usual.size())];
        for (const Level level : levels_up_to_active()) {
            const auto masks = dsir::simd::cut_kernels(level).known(block.data());
            std::uint64_t left = masks.word | masks.punctuation;
            if (level == Level::scalar) CHECK_EQUAL(left, 0U);
            for (std::size_t i = 0; i < 64;) {
                if (((left >> i) & 1) == 0) {
                    ++i;
                    continue;
                }
                const auto decoded =
                    dsir::unicode::decode_utf8(block.data() + i, block.data() + block.size());
                CHECK(decoded.length > 1);
                if (decoded.length == 0) break;
                const std::uint64_t all = ((std::uint64_t{1} << decoded.length) - 1) << i;
                CHECK((masks.word & all) == all || (masks.punctuation & all) == all);
                i += decoded.length;
            }
        }
    }
}

/// Blocks of bytes that are often beside each other, and of any bytes.
Block some_block(Random& random) {
    const std::vector<std::uint8_t> usual = {
        0xC3, 0xCE, 0xCF, 0xD0, 0xD1, 0xD8, 0xE0, 0xE2, 0xE3, 0xE5, 0xE9, 0xEB, 0xEC, 0xED, 0xEF,
        0xF0, 0x80, 0x81, 0x82, 0x83, 0x9F, 0xA0, 0xB0, 0xB7, 0xBC, 0xBF, 'a',  'Z',  ' ',  '.'};
    const bool any = random.below(2) == 0;
    Block block{};
    for (auto& byte : block) {
        byte =
            any ? static_cast<std::uint8_t>(random.below(256)) : usual[random.below(usual.size())];
    }
    return block;
}

TEST(characters_of_a_block) {
    Random random(10);
    for (int round = 0; round < 20000; ++round) {
        const Block block = some_block(random);
        Block lowered{};
        const BlockMasks classes = dsir::simd::classify_scalar(block.data(), lowered.data());
        std::uint64_t two_or_more = 0;
        std::uint64_t three_or_more = 0;
        for (std::size_t i = 0; i < 64; ++i) {
            two_or_more |= std::uint64_t{block[i] >= 0xC0} << i;
            three_or_more |= std::uint64_t{block[i] >= 0xE0} << i;
        }
        for (const Level level : levels_up_to_active()) {
            const auto& kernels = dsir::simd::cut_kernels(level);
            dsir::simd::CharacterMasks found;
            kernels.characters(block.data(), found);
            const auto known = kernels.known(block.data());
            CHECK_EQUAL(found.classes.word, classes.word);
            CHECK_EQUAL(found.classes.space, classes.space);
            CHECK_EQUAL(found.classes.non_ascii, classes.non_ascii);
            CHECK_EQUAL(found.known.word, known.word);
            CHECK_EQUAL(found.known.punctuation, known.punctuation);
            CHECK_EQUAL(found.two_or_more, two_or_more);
            CHECK_EQUAL(found.three_or_more, three_or_more);
        }
    }
}

// What is not left to look up stays as it is in lower case. The test asks about every character.
TEST(characters_that_lower_case_leaves) {
    for (const Level level : levels_up_to_active()) {
        const auto lower = dsir::simd::cut_kernels(level).lower;
        long found = 0;
        for (char32_t c = 0x80; c < 0x110000; ++c) {
            if (c >= 0xD800 && c < 0xE000) continue;
            const std::size_t at = c % 64;  // also beyond the end
            const auto [block, length] = block_of(c, at);
            Block lowered{};
            const std::uint64_t left = lower(block.data(), lowered.data());
            CHECK(lowered == block);
            if (left == 0) {
                const auto& properties = dsir::unicode::properties_of(c);
                CHECK_EQUAL_FOR(std::uint32_t(c), at + length <= 64, true);
                CHECK_EQUAL_FOR(std::uint32_t(c), properties.lower_delta, 0);
                CHECK_EQUAL_FOR(std::uint32_t(c), properties.special, 0);
                ++found;
            } else if (at + length <= 64) {
                CHECK_EQUAL_FOR(std::uint32_t(c), left, ((std::uint64_t{1} << length) - 1) << at);
            }
        }
        CHECK(level == Level::scalar ? found == 0 : found > 30000);
    }
}

TEST(lower_case_of_blocks) {
    Random random(11);
    for (int round = 0; round < 20000; ++round) {
        const Block block = some_block(random);
        Block expected{};
        const std::uint64_t all =
            dsir::simd::classify_scalar(block.data(), expected.data()).non_ascii;
        for (const Level level : levels_up_to_active()) {
            Block lowered{};
            const std::uint64_t left =
                dsir::simd::cut_kernels(level).lower(block.data(), lowered.data());
            CHECK(lowered == expected);
            CHECK_EQUAL(left & ~all, 0U);
            if (level == Level::scalar) CHECK_EQUAL(left, all);
            // What is not left is UTF-8, in whole characters.
            const std::uint64_t sure = all & ~left;
            for (std::size_t i = 0; i < 64;) {
                if (((sure >> i) & 1) == 0) {
                    ++i;
                    continue;
                }
                const auto decoded =
                    dsir::unicode::decode_utf8(block.data() + i, block.data() + block.size());
                CHECK(decoded.length > 1);
                if (decoded.length == 0) break;
                const std::uint64_t own = ((std::uint64_t{1} << decoded.length) - 1) << i;
                CHECK_EQUAL(sure & own, own);
                i += decoded.length;
            }
        }
    }
}

TEST(blocks_without_space) {
    Random random(13);
    for (int round = 0; round < 2000; ++round) {
        const std::size_t blocks = random.below(5);
        std::vector<std::uint8_t> bytes(64 * blocks);
        for (auto& byte : bytes) {
            // Few bytes, many, or none but white space.
            byte = static_cast<std::uint8_t>(round % 3 == 0   ? random.below(256)
                                             : round % 3 == 1 ? random.below(40)
                                                              : 0x20);
        }
        std::vector<std::uint8_t> expected;
        std::copy_if(bytes.begin(), bytes.end(), std::back_inserter(expected),
                     [](std::uint8_t byte) { return !space(byte); });
        for (const Level level : levels_up_to_active()) {
            const auto drop_space = dsir::simd::cut_kernels(level).drop_space;
            std::vector<std::uint8_t> apart(bytes.size());
            apart.resize(drop_space(bytes.data(), blocks, apart.data()));
            CHECK(apart == expected);
            // In place, and to a place before.
            for (const std::size_t before : {std::size_t{0}, random.below(70)}) {
                std::vector<std::uint8_t> same(before);
                same.insert(same.end(), bytes.begin(), bytes.end());
                same.resize(drop_space(same.data() + before, blocks, same.data()));
                CHECK(same == expected);
            }
        }
    }
}

TEST(places_of_bits) {
    Random random(12);
    for (int round = 0; round < 5000; ++round) {
        std::uint64_t mask = random.below(~0ULL);
        if (round % 4 == 1) mask &= random.below(~0ULL);
        if (round % 4 == 2) mask |= random.below(~0ULL);
        if (round < 2) mask = round == 0 ? 0 : ~std::uint64_t{0};
        const auto offset = static_cast<std::uint32_t>(random.below(1U << 31));
        std::vector<std::uint32_t> expected;
        for (std::uint32_t i = 0; i < 64; ++i) {
            if (((mask >> i) & 1) != 0) expected.push_back(offset + i);
        }
        for (const Level level : levels_up_to_active()) {
            std::vector<std::uint32_t> out(dsir::simd::kCutSlack);
            const std::size_t count =
                dsir::simd::cut_kernels(level).append(mask, offset, out.data());
            out.resize(count);
            CHECK_EQUAL(out, expected);
        }
    }
}

}  // namespace
