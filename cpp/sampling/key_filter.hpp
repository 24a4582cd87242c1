#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"

namespace dsir::sampling {

/// Refuses documents whose keys are below a bar, most of them without working out the key.
///
/// The noise is at most 36.74, so a log-weight far enough below the bar is out at once. For the
/// others the noise needed says how great the random bits must be, as the noise grows with them; a
/// table of that, a little too low, takes the place of two logarithms. What passes is worked out,
/// so the answer is the same as without.
class KeyFilter {
  public:
    /// `bar`: keys below it do not matter; -infinity for none.
    explicit KeyFilter(const KeySettings& settings,
                       double bar = -std::numeric_limits<double>::infinity())
        : settings_(settings), bar_(bar) {}

    /// Calls body(i, rank) for every eligible document in [begin, end) whose key is at least the
    /// bar, in ascending order, and for a few whose key is not.
    template <class Body>
    void for_each(const Documents& documents, std::int64_t begin, std::int64_t end,
                  Body&& body) const {
        Block block;
        for (std::int64_t at = begin; at < end; at += kBlock) {
            const std::size_t count = pick(documents, at, std::min(at + kBlock, end), block);
            for (std::size_t j = 0; j < count; ++j) {
                const std::int64_t i = at + block.offsets[j];
                body(i, rank_of(settings_, documents.log_weight[i], documents.row(i)));
            }
        }
    }

  private:
    static constexpr std::int64_t kBlock = 1024;

    static constexpr std::size_t kRoom = kBlock + 16;  // the kernels write past the end

    struct Block {
        std::array<std::uint32_t, kRoom> offsets;
        std::array<std::uint32_t, kRoom> needed;
        std::array<std::uint32_t, kRoom> words;
    };

    /// Writes the offsets from `begin` of those that may reach the bar; returns how many.
    std::size_t pick(const Documents& documents, std::int64_t begin, std::int64_t end,
                     Block& block) const;

    KeySettings settings_;
    double bar_;
};

/// The least double whose ordered_bits are at least these; infinite where there is none.
double lowest_key(std::uint64_t ordered);

}  // namespace dsir::sampling
