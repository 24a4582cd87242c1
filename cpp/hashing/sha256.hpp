#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// SHA-256 (FIPS 180-4), and its value as an integer modulo a number of buckets.
namespace dsir::hashing {

using Sha256State = std::array<std::uint32_t, 8>;

/// The digest as eight big-endian words: word 0 is the most significant.
Sha256State sha256(const std::uint8_t* bytes, std::size_t length);

/// The reference's bucket: the digest as one 256-bit integer, modulo `buckets`.
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

namespace detail {
/// Takes in `count` blocks of 64 bytes.
using Compress = void (*)(Sha256State& state, const std::uint8_t* blocks, std::size_t count);
void compress_portable(Sha256State& state, const std::uint8_t* blocks, std::size_t count);
extern const std::array<std::uint32_t, 64> kRoundConstants;
}  // namespace detail

}  // namespace dsir::hashing
