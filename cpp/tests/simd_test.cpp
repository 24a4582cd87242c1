#include "simd/classify.hpp"

#include <array>

#include "check.hpp"
#include "simd/cpu.hpp"

namespace {

using dsir::simd::BlockMasks;
using dsir::simd::Classify;
using dsir::simd::Level;
using dsir::test::Random;
using Block = std::array<std::uint8_t, 64>;

bool word(std::uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool space(std::uint8_t c) {
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32);
}

void check_block(Classify classify, const Block& block) {
    BlockMasks expected{0, 0, 0};
    Block lowered{};
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint8_t c = block[i];
        const std::uint64_t bit = std::uint64_t{1} << i;
        if (word(c)) expected.word |= bit;
        if (space(c)) expected.space |= bit;
        if (c >= 128) expected.non_ascii |= bit;
        lowered[i] = c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c - 'A' + 'a') : c;
    }
    Block out{};
    const BlockMasks found = classify(block.data(), out.data());
    CHECK_EQUAL(found.word, expected.word);
    CHECK_EQUAL(found.space, expected.space);
    CHECK_EQUAL(found.non_ascii, expected.non_ascii);
    CHECK(out == lowered);
}

void check_kernel(Classify classify) {
    for (unsigned c = 0; c < 256; ++c) {
        Block block{};
        block.fill(static_cast<std::uint8_t>(c));
        check_block(classify, block);
        for (std::size_t i = 0; i < 64; ++i) {
            Block one{};
            one.fill(' ');
            one[i] = static_cast<std::uint8_t>(c);
            check_block(classify, one);
        }
    }
    Random random(3);
    for (int i = 0; i < 20000; ++i) {
        Block block{};
        for (auto& byte : block) byte = static_cast<std::uint8_t>(random.below(i % 2 ? 256 : 128));
        check_block(classify, block);
    }
}

TEST(scalar_kernel) {
    check_kernel(dsir::simd::classify_scalar);
}

TEST(kernel_of_the_active_level) {
    check_kernel(dsir::simd::classify_kernel(dsir::simd::active_level()));
}

TEST(levels) {
    CHECK_EQUAL(std::string(dsir::simd::name_of(Level::scalar)), std::string("scalar"));
    CHECK_EQUAL(std::string(dsir::simd::name_of(Level::avx2)), std::string("avx2"));
    CHECK(dsir::simd::classify_kernel(Level::scalar) == dsir::simd::classify_scalar);
    if (dsir::simd::active_level() == Level::scalar) {
        CHECK(!dsir::simd::has_sha256_instructions());
    }
    std::cout << "       active level: " << dsir::simd::name_of(dsir::simd::active_level())
              << ", SHA-256 instructions: "
              << (dsir::simd::has_sha256_instructions() ? "yes" : "no") << "\n";
}

}  // namespace
