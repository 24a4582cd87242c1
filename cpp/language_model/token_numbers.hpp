#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dsir::language_model {

/// Numbers the tokens of a text from 1 on, in ascending order of the tokens, so that tables need an
/// entry for each token that occurs and not for each that could.
///
/// Memory: 1.5 bits for each token up to the largest.
class TokenNumbers {
  public:
    static constexpr std::uint32_t kUnknown = 0xFFFFFFFFU;  ///< the number of all other tokens

    explicit TokenNumbers(std::span<const std::uint32_t> tokens) {
        for (const std::uint32_t token : tokens) {
            if (token / 64 >= blocks_.size()) blocks_.resize(token / 64 + std::size_t{1});
            blocks_[token / 64].present |= std::uint64_t{1} << (token % 64);
        }
        for (Block& block : blocks_) {
            block.before = size_;
            size_ += static_cast<std::uint32_t>(std::popcount(block.present));
        }
    }

    /// How many different tokens there are; their numbers are 1 to size().
    std::uint32_t size() const { return size_; }

    /// The number of a token.
    std::uint32_t operator[](std::uint32_t token) const {
        if (token / 64 >= blocks_.size()) return kUnknown;
        const Block& block = blocks_[token / 64];
        const std::uint64_t bit = std::uint64_t{1} << (token % 64);
        if ((block.present & bit) == 0) return kUnknown;
        return block.before + 1 +
               static_cast<std::uint32_t>(std::popcount(block.present & (bit - 1)));
    }

  private:
    struct Block {
        std::uint64_t present = 0;  ///< one bit for each of 64 tokens
        std::uint32_t before = 0;   ///< how many smaller tokens are present
    };

    std::vector<Block> blocks_;
    std::uint32_t size_ = 0;
};

}  // namespace dsir::language_model
