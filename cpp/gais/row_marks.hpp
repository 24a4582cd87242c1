#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace dsir::gais {

/// A set of rows, which gives them back in ascending order.
class RowMarks {
  public:
    void resize(std::int64_t rows) { words_.assign(static_cast<std::size_t>(rows + 63) / 64, 0); }
    void add(std::int64_t row) { words_[row / 64] |= std::uint64_t{1} << (row % 64); }
    /// Calls body(row) for every row, ascending, and empties the set.
    template <class Body>
    void drain(Body&& body) {
        for (std::size_t w = 0; w < words_.size(); ++w) {
            const auto first = static_cast<std::int64_t>(w) * 64;
            for (std::uint64_t bits = words_[w]; bits != 0; bits &= bits - 1) {
                body(first + std::countr_zero(bits));
            }
            words_[w] = 0;
        }
    }

  private:
    std::vector<std::uint64_t> words_;
};

}  // namespace dsir::gais
