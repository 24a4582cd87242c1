#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "sampling/documents.hpp"
#include "sampling/keys.hpp"

namespace dsir::sampling {

/// Refuses documents whose keys are below a bar, most of them without computing the key.
///
/// The noise is at most 36.74, so a document whose log-weight is further below the bar is refused
/// at once. For the others the noise that they need tells how large their random bits must be,
/// because the noise grows with the bits. A table gives that size, slightly too low, and replaces
/// two logarithms. The key of what passes is computed, so the result is the same as without the
/// table.
class KeyFilter {
  public:
    /// Keys below `bar` do not matter. -infinity means no bar.
    explicit KeyFilter(const KeySettings& settings,
                       double bar = -std::numeric_limits<double>::infinity())
        : settings_(settings), bar_(bar) {}

    /// Calls body(i, rank) for every eligible document in [begin, end) whose key is at least the
    /// bar, in ascending order, and also for a few whose key is below the bar.
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

    /// Writes the offsets from `begin` of the documents that may reach the bar. Returns their
    /// number.
    std::size_t pick(const Documents& documents, std::int64_t begin, std::int64_t end,
                     Block& block) const;

    KeySettings settings_;
    double bar_;
};

/// The smallest double whose ordered_bits are at least `ordered`, or infinity if there is none.
double lowest_key(std::uint64_t ordered);

}  // namespace dsir::sampling
