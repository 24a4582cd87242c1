#include <cstring>
#include <memory>

#include "check.hpp"
#include "digest/sha256.hpp"
#include "hashing/fast_hash.hpp"
#include "simd/cpu.hpp"
#include "simd/sha256_blocks.hpp"

namespace {

using dsir::digest::sha256;
using dsir::digest::Sha256Buckets;
using dsir::digest::Sha256State;
using dsir::test::Random;
using Bytes = std::vector<std::uint8_t>;

std::string hex(const Sha256State& state) {
    std::string out;
    for (const std::uint32_t word : state) {
        for (int shift = 28; shift >= 0; shift -= 4)
            out += "0123456789abcdef"[(word >> shift) & 15];
    }
    return out;
}

std::string sha256_hex(std::string_view text) {
    return hex(sha256(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

/// Byte i is (7 i + length) mod 256, as in the Python code that made the answers below.
Bytes pattern(std::size_t length) {
    Bytes bytes(length);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::uint8_t>(7 * i + length);
    return bytes;
}

TEST(sha256_known_answers) {
    // The examples of FIPS 180-4.
    CHECK_EQUAL(sha256_hex(""),
                std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    CHECK_EQUAL(sha256_hex("abc"),
                std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    CHECK_EQUAL(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                std::string("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    CHECK_EQUAL(sha256_hex(std::string(1000000, 'a')),
                std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    // Around the lengths at which the padding takes another block. From Python's hashlib.
    const struct {
        std::size_t length;
        const char* digest;
    } answers[] = {
        {55, "81afe5b788dc2ce138ff83d9b20164db75a94d75d2b2432eea4a0ef605088c72"},
        {56, "2aba54f0ac632420a2b502431408866e40e1d5e430df4cd822642c78ab2eb9c1"},
        {63, "733d3d4ee79ee67145bf73da13588f6f235d37414fc64b14a2f00f1762792f5e"},
        {64, "79322907b3e9d013d7dc2c2f256674dbf733045cde01df3539271c6f5605feb8"},
        {65, "d85c007c6eb440f085afa2b84f6f2bce4658b240e9f62cb1364bf0485a57e720"},
        {1000, "6b0df76627243d095b0c4400cb658b7e804dd03461cc03aee8fc8fe0bcada168"},
    };
    for (const auto& answer : answers) {
        const Bytes bytes = pattern(answer.length);
        CHECK_EQUAL(hex(sha256(bytes.data(), bytes.size())), std::string(answer.digest));
    }
}

TEST(sha256_instructions_equal_scalar) {
    CHECK(dsir::simd::sha256_compress() != nullptr);
    if (!dsir::simd::has_sha256_instructions()) {
        std::cout << "       not on this CPU at this level\n";
        return;
    }
    CHECK(dsir::simd::sha256_compress() != dsir::simd::sha256_compress_scalar);
    Random random(6);
    for (int i = 0; i < 500; ++i) {
        const std::size_t count = random.below(5);
        Sha256State scalar{};
        for (auto& word : scalar) word = static_cast<std::uint32_t>(random.word());
        Sha256State native = scalar;
        Bytes blocks(64 * count);
        for (auto& byte : blocks) byte = static_cast<std::uint8_t>(random.word());
        dsir::simd::sha256_compress_scalar(scalar, blocks.data(), count);
        dsir::simd::sha256_compress()(native, blocks.data(), count);
        CHECK_EQUAL(hex(native), hex(scalar));
    }
}

/// The digest as one integer modulo `buckets`, bit by bit, as in long division on paper.
std::uint32_t remainder_on_paper(const Sha256State& digest, std::uint32_t buckets) {
    std::uint64_t remainder = 0;
    for (const std::uint32_t word : digest) {
        for (int bit = 31; bit >= 0; --bit) {
            remainder = (remainder * 2 + ((word >> bit) & 1)) % buckets;
        }
    }
    return static_cast<std::uint32_t>(remainder);
}

TEST(sha256_of_two_equals_sha256) {
    Random random(12);
    std::vector<std::string> messages;
    for (std::size_t length = 0; length <= dsir::digest::Sha256Block::kLargest; ++length) {
        std::string message;
        for (std::size_t i = 0; i < length; ++i) message += static_cast<char>(random.below(256));
        messages.push_back(message);
    }
    // Blocks are reused, as in the kernel: nothing may remain in them.
    dsir::digest::Sha256Block blocks[2];
    for (int round = 0; round < 2000; ++round) {
        const std::string* pair[2];
        for (int i = 0; i < 2; ++i) {
            pair[i] = &messages[random.below(messages.size())];
            blocks[i].clear();
            const std::string padded = *pair[i] + std::string(16, '\xEE');
            const auto* const bytes = reinterpret_cast<const std::uint8_t*>(padded.data());
            const std::size_t first = random.below(pair[i]->size() + 1);
            blocks[i].append_padded(bytes, first);
            std::size_t rest = first;
            if (rest < pair[i]->size()) blocks[i].append((*pair[i])[rest++]);
            blocks[i].append_padded(bytes + rest, pair[i]->size() - rest);
            blocks[i].finish();
        }
        dsir::digest::Sha256State digests[2];
        dsir::digest::sha256_of_two(blocks[0], blocks[1], digests[0], digests[1]);
        for (int i = 0; i < 2; ++i) {
            CHECK(digests[i] ==
                  dsir::digest::sha256(reinterpret_cast<const std::uint8_t*>(pair[i]->data()),
                                       pair[i]->size()));
        }
    }
}

TEST(sha256_buckets) {
    const Sha256Buckets buckets(10000);
    const auto bucket = [&buckets](std::string_view text) {
        return buckets(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    };
    CHECK_EQUAL(bucket("alice"), 6720);
    CHECK_EQUAL(bucket("alice went"), 114);
    Random random(7);
    std::vector<std::uint32_t> counts = {
        2, 3, 255, 256, 257, 10000, 65536, 65537, (1U << 24) - 1, 1U << 24};
    for (int i = 0; i < 200; ++i) {
        counts.push_back(static_cast<std::uint32_t>(2 + random.below((1U << 24) - 1)));
    }
    for (const std::uint32_t count : counts) {
        const Sha256Buckets of_count(count);
        Sha256State all_ones{};
        all_ones.fill(0xFFFFFFFF);  // the largest sum of products
        CHECK_EQUAL(of_count.remainder(all_ones), remainder_on_paper(all_ones, count));
        CHECK_EQUAL(of_count.remainder(Sha256State{}), 0);
        for (int i = 0; i < 20; ++i) {
            Sha256State digest{};
            for (auto& word : digest) word = static_cast<std::uint32_t>(random.word());
            CHECK_EQUAL(of_count.remainder(digest), remainder_on_paper(digest, count));
        }
    }
}

std::uint64_t hash_of(const Bytes& token, std::uint8_t padding = 0) {
    // What follows the token is readable and arbitrary.
    const std::unique_ptr<std::uint8_t[]> padded(new std::uint8_t[token.size() + 8]);
    std::memcpy(padded.get(), token.data(), token.size());
    std::memset(padded.get() + token.size(), padding, 8);
    return dsir::hashing::token_hash(padded.get(), token.size());
}

TEST(fast_hash_golden_vectors) {
    // The values of tests/data/fast_hash_v1.json, which tests/core/test_fast_hash.py compares with
    // an implementation in Python. A change here is a new version of the hash.
    CHECK_EQUAL(dsir::hashing::kFastHashVersion, 1);
    const struct {
        std::size_t length;
        std::uint64_t hash;
    } golden[] = {
        {1, 0x1baf094f0bf8ebf4},    {2, 0xf1b4d49313d1c409},  {3, 0x206e6ead3bee9f52},
        {4, 0x8b2bafb91be0b954},    {5, 0xfee4d6a04cffd294},  {6, 0xc64419ba27a1ec0d},
        {7, 0x1ed36f1bf0eac2e6},    {8, 0xb6d3a72c2e82194f},  {9, 0xdda2c4e1f881f5a8},
        {10, 0x32a1eca85ca88c35},   {11, 0x41c3dcc5db3e9f61}, {12, 0xf495e834391144df},
        {13, 0xbd67eecf1e51e37c},   {14, 0xbffc0fdfcb502f97}, {15, 0xc3d3997f6bb9a247},
        {16, 0x7913314998776f50},   {17, 0xec33462fe801d10e}, {18, 0xc4648e58f5321467},
        {19, 0xa7e4853e6d1e80e6},   {20, 0x773d5b5961ab3aac}, {21, 0x531c349d5bb2933d},
        {22, 0x42a3407b16f9def2},   {23, 0x8ad4103dfbee258b}, {24, 0xb05dd09f8dcb2079},
        {25, 0x6c39b67570c582d8},   {26, 0xa38243d32cac9c24}, {27, 0x94cb76f804fc588f},
        {28, 0x961f34eb90ef52ae},   {29, 0x3eb4f9d881596231}, {30, 0x2d144861f9c8dad3},
        {31, 0x8c955a09c31c554d},   {32, 0x5998ada012284f99}, {33, 0x7bf34efc1cd7df62},
        {34, 0x500bf3cc80ea2492},   {35, 0xf52fbb628932e6d6}, {47, 0xcc47462026440e42},
        {48, 0xb92c1cbcb2278666},   {49, 0xc365f866f2fe17dd}, {63, 0x0eca716e4032ac77},
        {64, 0x1a879ff3ad76db40},   {65, 0x88a4ecaf33f624bf}, {100, 0x46c2ae43d663afca},
        {1000, 0xe5030993620af85a},
    };
    std::uint64_t combined = 0;
    for (const auto& [length, hash] : golden) {
        CHECK_EQUAL_FOR(std::to_string(length), hash_of(pattern(length)), hash);
        CHECK_EQUAL_FOR(std::to_string(length), hash_of(pattern(length), 0xFF), hash);
        combined = dsir::hashing::extend_hash(combined, hash);
    }
    CHECK_EQUAL(combined, std::uint64_t{0xb2bc09984742913f});
}

TEST(fast_hash_depends_on_every_byte) {
    Random random(8);
    for (std::size_t length = 1; length <= 70; ++length) {
        Bytes token = pattern(length);
        const std::uint64_t before = hash_of(token);
        for (std::size_t i = 0; i < length; ++i) {
            token[i] ^= static_cast<std::uint8_t>(1 + random.below(255));
            CHECK(hash_of(token) != before);
            token = pattern(length);
        }
        token.push_back(0);
        CHECK(hash_of(token) != before);
    }
}

TEST(fast_hash_of_ngrams_has_an_order) {
    const std::uint64_t a = hash_of({'a'});
    const std::uint64_t b = hash_of({'b'});
    using dsir::hashing::extend_hash;
    CHECK(extend_hash(a, b) != extend_hash(b, a));
    CHECK(extend_hash(extend_hash(a, b), a) != extend_hash(a, extend_hash(b, a)));
}

TEST(fast_buckets) {
    using dsir::hashing::bucket_of;
    for (const std::uint32_t buckets : {2U, 3U, 10000U, 1U << 24}) {
        CHECK_EQUAL(bucket_of(0, buckets), 0);
        CHECK_EQUAL(bucket_of(~std::uint64_t{0}, buckets), buckets - 1);
        CHECK_EQUAL(bucket_of(std::uint64_t{1} << 63, buckets), buckets / 2);
    }
}

}  // namespace
