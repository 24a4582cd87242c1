#include "gais/exchanges/part_rows.hpp"

#include <algorithm>

namespace dsir::gais::exchanges {

PartRows::PartRows(const SparseRowsView& table, std::span<const std::int32_t> members,
                   const std::int32_t* labels, std::int32_t classes)
    : classes_(classes) {
    std::vector<std::int32_t> rows_with(static_cast<std::size_t>(table.width), 0);
    const auto each = [&](auto&& body) {
        for (std::int32_t row = 0; row < static_cast<std::int32_t>(members.size()); ++row) {
            const std::int64_t end = table.offsets[members[row] + 1];
            for (std::int64_t k = table.offsets[members[row]]; k < end; ++k) {
                body(row, table.columns[k], table.values[k]);
            }
        }
    };
    sums_.assign(members.size(), 0.0);
    squares_.assign(members.size(), 0.0F);
    for (const std::int32_t row : members) labels_.push_back(labels[row]);
    each([&](std::int32_t row, std::int32_t column, float value) {
        ++rows_with[column];
        sums_[row] += value;
        squares_[row] += value * value;
    });
    // The number of each column that two rows have.
    std::vector<std::int32_t> numbers(static_cast<std::size_t>(table.width), -1);
    column_ends_.push_back(0);
    for (std::size_t column = 0; column < numbers.size(); ++column) {
        width_ += rows_with[column] > 0 ? 1 : 0;
        if (rows_with[column] < 2) continue;
        numbers[column] = columns();
        column_ends_.push_back(column_ends_.back() + rows_with[column]);
    }
    by_column_.resize(static_cast<std::size_t>(column_ends_.back()));
    by_row_.reserve(by_column_.size());
    row_ends_.assign(members.size() + 1, 0);
    std::vector<std::int64_t> next(column_ends_.begin(), column_ends_.end() - 1);
    each([&](std::int32_t row, std::int32_t column, float value) {
        const std::int32_t number = numbers[column];
        if (number < 0) return;
        by_column_[next[number]++] = {row, value};
        by_row_.push_back({number, value});
        row_ends_[row + 1] = static_cast<std::int64_t>(by_row_.size());
    });
    for (std::size_t row = 1; row < row_ends_.size(); ++row) {
        row_ends_[row] = std::max(row_ends_[row], row_ends_[row - 1]);
    }
}

void PartRows::products(std::int32_t row, float* out) const {
    std::fill(out, out + rows(), 0.0F);
    for (const Entry& own : this->row(row)) {
        for (const Entry& other : column(own.other)) out[other.other] += own.value * other.value;
    }
    out[row] = squares_[row];
}

}  // namespace dsir::gais::exchanges
