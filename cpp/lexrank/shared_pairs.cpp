#include "lexrank/shared_pairs.hpp"

#include <algorithm>
#include <cstddef>

namespace dsir::lexrank {
namespace {

/// Numbers pairs by their first occurrence, and counts the rows that have each.
class PairTable {
  public:
    PairTable() : slots_(1024, 0) {}

    /// The number of a pair that a row has; -1 if the row has had it before.
    std::int64_t add(std::int32_t first, std::int32_t second, std::int64_t row) {
        const std::uint64_t key = (static_cast<std::uint64_t>(first) << 32) |
                                  static_cast<std::uint64_t>(static_cast<std::uint32_t>(second));
        std::size_t at = slot_of(key);
        if (slots_[at] == 0) {
            if ((keys_.size() + 1) * 2 > slots_.size()) {
                grow();
                at = slot_of(key);
            }
            keys_.push_back(key);
            last_row_.push_back(-1);
            rows_.push_back(0);
            slots_[at] = keys_.size();
        }
        const std::size_t number = slots_[at] - 1;
        if (last_row_[number] == row) return -1;
        last_row_[number] = row;
        ++rows_[number];
        return static_cast<std::int64_t>(number);
    }

    const std::vector<std::int64_t>& rows() const { return rows_; }

  private:
    /// The slot of a pair, or the free slot in which it belongs.
    std::size_t slot_of(std::uint64_t key) const {
        // Both halves are small numbers; the product spreads them (Fibonacci hashing, Knuth 6.4).
        const std::uint64_t mixed = key * 0x9E3779B97F4A7C15ULL;
        std::size_t at = static_cast<std::size_t>(mixed ^ (mixed >> 32)) & (slots_.size() - 1);
        while (slots_[at] != 0 && keys_[slots_[at] - 1] != key) at = (at + 1) & (slots_.size() - 1);
        return at;
    }

    void grow() {
        slots_.assign(slots_.size() * 2, 0);
        for (std::size_t number = 0; number < keys_.size(); ++number) {
            slots_[slot_of(keys_[number])] = number + 1;
        }
    }

    std::vector<std::size_t> slots_;  ///< a pair's number plus one; 0: free
    std::vector<std::uint64_t> keys_;
    std::vector<std::int64_t> last_row_;
    std::vector<std::int64_t> rows_;
};

}  // namespace

SharedPairs shared_pairs(std::span<const std::int64_t> offsets, std::span<const std::int32_t> terms,
                         std::int64_t least) {
    PairTable table;
    SharedPairs found;
    found.offsets.reserve(offsets.size());
    found.offsets.push_back(0);
    const auto rows = static_cast<std::int64_t>(offsets.size()) - 1;
    for (std::int64_t row = 0; row < rows; ++row) {
        const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(row)]);
        const auto end = static_cast<std::size_t>(offsets[static_cast<std::size_t>(row) + 1]);
        for (std::size_t k = begin; k < end; ++k) {
            if (k == begin && end - begin > 1) continue;
            const std::int64_t pair = table.add(k == begin ? 0 : terms[k - 1], terms[k], row);
            if (pair >= 0) found.pairs.push_back(pair);
        }
        found.offsets.push_back(static_cast<std::int64_t>(found.pairs.size()));
    }
    const auto& counts = table.rows();
    const bool any =
        std::any_of(counts.begin(), counts.end(), [&](std::int64_t n) { return n >= least; });
    if (!any) {
        found.rows = counts;
        return found;
    }
    std::vector<std::int64_t> renumbered(counts.size(), -1);
    for (std::size_t pair = 0; pair < counts.size(); ++pair) {
        if (counts[pair] < least) continue;
        renumbered[pair] = static_cast<std::int64_t>(found.rows.size());
        found.rows.push_back(counts[pair]);
    }
    std::size_t to = 0;
    std::size_t from = 0;
    for (std::size_t row = 1; row < found.offsets.size(); ++row) {
        for (const auto end = static_cast<std::size_t>(found.offsets[row]); from < end; ++from) {
            const auto pair = renumbered[static_cast<std::size_t>(found.pairs[from])];
            if (pair >= 0) found.pairs[to++] = pair;
        }
        found.offsets[row] = static_cast<std::int64_t>(to);
    }
    found.pairs.resize(to);
    found.pairs.shrink_to_fit();
    return found;
}

}  // namespace dsir::lexrank
