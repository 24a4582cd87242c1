#pragma once

#include <cstdint>

namespace dsir::fasttext {

__extension__ typedef unsigned __int128 uint128;

/// Remainders of division by a number that stays the same, without a division. Source: Lemire,
/// Kaser, Kurz 2019, "Faster remainder by direct computation" (arXiv 1902.01961): exact for every
/// 64-bit and 32-bit number.
class Remainder {
  public:
    /// `divisor` is 1 or more.
    explicit Remainder(std::uint32_t divisor)
        : divisor_(divisor),
          inverse64_(~uint128{0} / divisor + 1),
          inverse32_(~std::uint64_t{0} / divisor + 1) {}

    std::uint32_t of(std::uint64_t number) const {
        const uint128 fraction = inverse64_ * number;
        const uint128 low = (fraction & ~std::uint64_t{0}) * divisor_;
        const uint128 high = (fraction >> 64) * divisor_;
        return static_cast<std::uint32_t>((high + (low >> 64)) >> 64);
    }
    std::uint32_t of(std::uint32_t number) const {
        const std::uint64_t fraction = inverse32_ * number;
        return static_cast<std::uint32_t>((uint128{fraction} * divisor_) >> 64);
    }

  private:
    std::uint32_t divisor_;
    uint128 inverse64_;
    std::uint64_t inverse32_;
};

}  // namespace dsir::fasttext
