#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/sha256_blocks.hpp"

/// SHA-256 (FIPS 180-4), and the digest as an integer modulo a number of buckets.
namespace dsir::digest {

using Sha256State = simd::Sha256State;

/// The digest of a message as eight words; word 0 is the most significant.
Sha256State sha256(const std::uint8_t* bytes, std::size_t length);

/// A message of up to kLargest bytes, built piece by piece. Such a message fits the single block of
/// 64 bytes that SHA-256 makes of it.
class Sha256Block {
  public:
    static constexpr std::size_t kLargest = 55;

    void clear() { length_ = 0; }

    /// Appends a piece. Copies in steps of 16 bytes, so up to 15 bytes after the piece must be
    /// readable.
    void append_padded(const std::uint8_t* piece, std::size_t length) {
        for (std::size_t i = 0; i < length; i += 16) {
            std::memcpy(bytes_.data() + length_ + i, piece + i, 16);
        }
        length_ += length;
    }

    void append(char byte) { bytes_[length_++] = static_cast<std::uint8_t>(byte); }

    /// Completes the block after the last piece: a one bit, zeros, and the length in bits,
    /// big-endian.
    void finish();

    const std::uint8_t* data() const { return bytes_.data(); }

  private:
    alignas(16) std::array<std::uint8_t,
                           64 + 64> bytes_;  // append_padded may write up to 64 bytes too many
    std::size_t length_ = 0;
};

/// Writes the digests of two messages. When the CPU has SHA-256 instructions, two take little more
/// time than one.
void sha256_of_two(const Sha256Block& a, const Sha256Block& b, Sha256State& digest_a,
                   Sha256State& digest_b);

/// The bucket as the reference computes it: the digest as one 256-bit integer, modulo `buckets`.
class Sha256Buckets {
  public:
    /// `buckets`: 2 to 2^24.
    explicit Sha256Buckets(std::uint32_t buckets);
    std::uint32_t operator()(const std::uint8_t* bytes, std::size_t length) const;
    std::uint32_t remainder(const Sha256State& digest) const;

  private:
    std::uint32_t buckets_;
    std::array<std::uint64_t, 8> powers_;  ///< 2^(32 (7 - i)) mod buckets, for word i
};

}  // namespace dsir::digest
