#include "digest/sha256.hpp"

#include <cstring>

#include "simd/sha256_blocks.hpp"

namespace dsir::digest {
namespace {

constexpr Sha256State kInitial = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

/// Writes a 64-bit number, big-endian, into the eight bytes before `end`.
void put_big_endian(std::uint64_t number, std::uint8_t* end) {
    std::uint8_t bytes[8];
    for (std::size_t i = 0; i < 8; ++i) bytes[7 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    std::memcpy(end - 8, bytes, 8);
}

}  // namespace

Sha256State sha256(const std::uint8_t* bytes, std::size_t length) {
    static const simd::Sha256Compress compress = simd::sha256_compress();
    Sha256State state = kInitial;
    const std::size_t whole = length / 64;
    compress(state, bytes, whole);
    // The rest of the message, a one bit, zeros, and the length in bits, big-endian.
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
    static const simd::Sha256CompressTwo compress = simd::sha256_compress_two();
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
    // Each product is below 2^56, so the sum of the eight fits 64 bits and one division is enough.
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum += digest[i] * powers_[i];
    return static_cast<std::uint32_t>(sum % buckets_);
}

}  // namespace dsir::digest
