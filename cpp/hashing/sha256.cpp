#include "hashing/sha256.hpp"

#include <bit>
#include <cstring>

#include "simd/sha256_blocks.hpp"

namespace dsir::hashing {
namespace detail {

alignas(64) const std::array<std::uint32_t, 64> kRoundConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

void compress_portable(Sha256State& state, const std::uint8_t* blocks, std::size_t count) {
    for (; count != 0; --count, blocks += 64) {
        std::uint32_t w[64];
        for (std::size_t t = 0; t < 16; ++t) {
            w[t] = (std::uint32_t{blocks[4 * t]} << 24) | (std::uint32_t{blocks[4 * t + 1]} << 16) |
                   (std::uint32_t{blocks[4 * t + 2]} << 8) | std::uint32_t{blocks[4 * t + 3]};
        }
        for (std::size_t t = 16; t < 64; ++t) {
            const std::uint32_t x = w[t - 15];
            const std::uint32_t y = w[t - 2];
            const std::uint32_t s0 = std::rotr(x, 7) ^ std::rotr(x, 18) ^ (x >> 3);
            const std::uint32_t s1 = std::rotr(y, 17) ^ std::rotr(y, 19) ^ (y >> 10);
            w[t] = w[t - 16] + s0 + w[t - 7] + s1;
        }
        auto [a, b, c, d, e, f, g, h] = state;
        for (std::size_t t = 0; t < 64; ++t) {
            const std::uint32_t big1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
            const std::uint32_t t1 = h + big1 + ((e & f) ^ (~e & g)) + kRoundConstants[t] + w[t];
            const std::uint32_t big0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
            const std::uint32_t t2 = big0 + ((a & b) ^ (a & c) ^ (b & c));
            h = g;
            g = f;
            f = e;
            e = d + t1;
            d = c;
            c = b;
            b = a;
            a = t1 + t2;
        }
        state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d,
                 state[4] + e, state[5] + f, state[6] + g, state[7] + h};
    }
}

void compress_two_portable(Sha256State& a, const std::uint8_t* block_a, Sha256State& b,
                           const std::uint8_t* block_b) {
    compress_portable(a, block_a, 1);
    compress_portable(b, block_b, 1);
}

}  // namespace detail

namespace {

constexpr Sha256State kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/// Writes a 64-bit number so that its last byte is before `end`.
void put_big_endian(std::uint64_t number, std::uint8_t* end) {
    std::uint8_t bytes[8];
    for (std::size_t i = 0; i < 8; ++i) bytes[7 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    std::memcpy(end - 8, bytes, 8);
}

}  // namespace

Sha256State sha256(const std::uint8_t* bytes, std::size_t length) {
    static const detail::Compress compress = simd::sha256_compress();
    Sha256State state = kInitial;
    const std::size_t whole = length / 64;
    compress(state, bytes, whole);
    // The rest, a one bit, zeros, and the length in bits, big-endian.
    std::uint8_t tail[128] = {};
    const std::size_t rest = length - 64 * whole;
    if (rest != 0) std::memcpy(tail, bytes + 64 * whole, rest);
    tail[rest] = 0x80;
    const std::size_t tail_blocks = rest < 56 ? 1 : 2;
    put_big_endian(std::uint64_t{length} * 8, tail + 64 * tail_blocks);
    compress(state, tail, tail_blocks);
    return state;
}

void Sha256Block::finish() {
    std::memset(bytes_.data() + length_, 0, 64);
    bytes_[length_] = 0x80;
    put_big_endian(std::uint64_t{length_} * 8, bytes_.data() + 64);
}

void sha256_of_two(const Sha256Block& a, const Sha256Block& b, Sha256State& digest_a,
                   Sha256State& digest_b) {
    static const detail::CompressTwo compress = simd::sha256_compress_two();
    digest_a = digest_b = kInitial;
    compress(digest_a, a.data(), digest_b, b.data());
}

Sha256Buckets::Sha256Buckets(std::uint32_t buckets) : buckets_(buckets), powers_{} {
    std::uint64_t power = 1 % buckets;
    for (std::size_t i = 8; i-- > 0;) {
        powers_[i] = power;
        power = (power << 32) % buckets;
    }
}

std::uint32_t Sha256Buckets::operator()(const std::uint8_t* bytes, std::size_t length) const {
    return remainder(sha256(bytes, length));
}

std::uint32_t Sha256Buckets::remainder(const Sha256State& digest) const {
    // Each product is below 2^56, so the eight of them add up in 64 bits and one division does.
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum += digest[i] * powers_[i];
    return static_cast<std::uint32_t>(sum % buckets_);
}

}  // namespace dsir::hashing
