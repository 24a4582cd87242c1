#include "lexrank/comparable_rows.hpp"

#include <atomic>

namespace dsir::lexrank {

template <class Value>
ComparableSparse::ComparableSparse(const numeric::SparseRows<Value>& rows, unsigned threads)
    : width_(rows.width), square_(static_cast<std::size_t>(rows.size)) {
    // Entries that are zero are dropped. A column that is in every unit has idf 0, and its list
    // would be long.
    const auto counts = [&](std::int32_t column, Value value) {
        return static_cast<double>(value) * rows.column_scale[column] != 0.0;
    };
    std::vector<std::int64_t> frequency(static_cast<std::size_t>(rows.width));
    offsets_.resize(static_cast<std::size_t>(rows.size) + 1);
    for (std::int64_t i = 0; i < rows.size; ++i) {
        std::int64_t length = 0;
        for (std::int64_t k = rows.offsets[i]; k < rows.offsets[i + 1]; ++k) {
            if (!counts(rows.columns[k], rows.values[k])) continue;
            ++frequency[rows.columns[k]];
            ++length;
        }
        offsets_[i + 1] = offsets_[i] + length;
        longest_ = std::max(longest_, length);
    }
    std::vector<std::int32_t> order(static_cast<std::size_t>(rows.width));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return frequency[a] > frequency[b]; });
    std::vector<std::int32_t> rank(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) rank[order[k]] = static_cast<std::int32_t>(k);
    columns_.resize(static_cast<std::size_t>(offsets_.back()));
    weights_.resize(columns_.size());
    std::atomic<bool> negative{false};
    const auto take = [&](unsigned, std::int64_t begin, std::int64_t end) {
        std::vector<std::pair<std::int32_t, double>> row;
        for (std::int64_t i = begin; i < end; ++i) {
            row.clear();
            double largest = 0;
            for (std::int64_t k = rows.offsets[i]; k < rows.offsets[i + 1]; ++k) {
                const std::int32_t column = rows.columns[k];
                if (!counts(column, rows.values[k])) continue;
                const double value =
                    static_cast<double>(rows.values[k]) * rows.column_scale[column];
                row.emplace_back(rank[column], value);
                largest = std::max(largest, std::abs(value));
                if (value < 0) negative = true;
            }
            std::sort(row.begin(), row.end());
            double square = 0;
            for (auto& [column, value] : row) {
                value /= largest;  // so that squares stay in range
                square += value * value;
            }
            const double length = std::sqrt(square);
            std::int64_t to = offsets_[i];
            square = 0;
            for (const auto& [column, value] : row) {
                const double weight = value / length;
                columns_[to] = column;
                weights_[to++] = weight;
                square += weight * weight;
            }
            square_[i] = square;
        }
    };
    parallel::for_ranges(rows.size, threads, take);
    negative_ = negative;
}

template ComparableSparse::ComparableSparse(const numeric::SparseRows<float>&, unsigned);
template ComparableSparse::ComparableSparse(const numeric::SparseRows<double>&, unsigned);

ComparableDense::ComparableDense(const numeric::DenseRows& rows, unsigned threads)
    : rows_(rows), square_(static_cast<std::size_t>(rows.size)) {
    std::atomic<bool> negative{false};
    parallel::for_ranges(rows.size, threads, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            square_[i] = product(row(i), row(i), rows_.width);
            for (std::int64_t k = 0; k < rows_.width; ++k) {
                if (row(i)[k] < 0) negative = true;
            }
        }
    });
    negative_ = negative;
}

}  // namespace dsir::lexrank
