#include "lexrank/checked_views.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace dsir::lexrank {
namespace {

void require(bool condition, const char* message) {
    if (!condition) throw std::invalid_argument(message);
}

[[noreturn]] void refuse_row(std::int64_t row, const char* why) {
    throw std::invalid_argument("row " + std::to_string(row) + " " + why);
}

void require_rows(std::int64_t size) {
    require(size < 0x7FFFFFFF, "there are more than 2^31 - 2 rows");
}

/// Values and scales up to these can be multiplied, squared and added without leaving the range of
/// doubles; so can their inverses, which are the smallest ones allowed.
constexpr double kLargestValue = 1e100;
constexpr double kLargestScale = 1e45;

bool in_range(double value, double largest) {
    const double magnitude = std::abs(value);
    return magnitude == 0.0 || (magnitude >= 1 / largest && magnitude <= largest);
}

/// Checks the entries of row i, whose offsets have been checked.
template <class Value>
void check_row(const numeric::SparseRows<Value>& view, std::int64_t i) {
    for (std::int64_t k = view.offsets[i]; k < view.offsets[i + 1]; ++k) {
        if (view.columns[k] < 0 || view.columns[k] >= view.width) {
            refuse_row(i, "has a column that is out of range");
        }
        if (k > view.offsets[i] && view.columns[k - 1] >= view.columns[k]) {
            refuse_row(i, "has columns that do not ascend");
        }
        if (!std::isfinite(view.values[k])) refuse_row(i, "holds NaN or an infinite value");
        if (!in_range(static_cast<double>(view.values[k]), kLargestValue)) {
            refuse_row(i, "holds a value that is neither 0 nor 1e-100 to 1e100 in magnitude");
        }
    }
}

}  // namespace

template <class Value>
numeric::SparseRows<Value> checked_sparse(std::span<const std::int64_t> offsets,
                                          std::span<const std::int32_t> columns,
                                          std::span<const Value> values,
                                          std::span<const double> column_scale) {
    require(!offsets.empty(), "offsets must have one entry more than there are rows");
    require(columns.size() == values.size(),
            "columns and values must be one-dimensional and of equal length");
    const auto entries = static_cast<std::int64_t>(columns.size());
    const numeric::SparseRows<Value> view{static_cast<std::int64_t>(offsets.size()) - 1,
                                          static_cast<std::int64_t>(column_scale.size()),
                                          offsets.data(),
                                          columns.data(),
                                          values.data(),
                                          column_scale.data()};
    require_rows(view.size);
    require(offsets.front() == 0 && offsets.back() == entries,
            "offsets must begin at 0 and end at the number of entries");
    for (std::int64_t i = 0; i < view.size; ++i) {
        if (view.offsets[i] > view.offsets[i + 1] || view.offsets[i + 1] > entries) {
            refuse_row(i, "has offsets that do not ascend");
        }
        check_row(view, i);
    }
    require(std::all_of(column_scale.begin(), column_scale.end(),
                        [](double scale) { return std::isfinite(scale); }),
            "column_scale must be finite");
    require(std::all_of(column_scale.begin(), column_scale.end(),
                        [](double scale) { return in_range(scale, kLargestScale); }),
            "column_scale must be 0, or 1e-45 to 1e45 in magnitude");
    return view;
}

template numeric::SparseRows<float> checked_sparse(std::span<const std::int64_t>,
                                                   std::span<const std::int32_t>,
                                                   std::span<const float>, std::span<const double>);
template numeric::SparseRows<double> checked_sparse(std::span<const std::int64_t>,
                                                    std::span<const std::int32_t>,
                                                    std::span<const double>,
                                                    std::span<const double>);

numeric::DenseRows checked_dense(std::int64_t size, std::int64_t width, const float* values) {
    require_rows(size);
    for (std::int64_t i = 0; i < size; ++i) {
        for (std::int64_t k = 0; k < width; ++k) {
            if (!std::isfinite(values[i * width + k])) {
                refuse_row(i, "holds NaN or an infinite value");
            }
        }
    }
    return {size, width, values};
}

GraphView checked_graph(std::span<const std::int64_t> offsets,
                        std::span<const std::int32_t> neighbours, const double* weights) {
    require(!offsets.empty(),
            "offsets must have one entry more than there are units, and neighbours must be "
            "one-dimensional");
    const GraphView view{static_cast<std::int64_t>(offsets.size()) - 1, offsets.data(),
                         neighbours.data(), weights};
    require(offsets.front() == 0 && offsets.back() == static_cast<std::int64_t>(neighbours.size()),
            "offsets must begin at 0 and end at the number of edges");
    require(std::is_sorted(offsets.begin(), offsets.end()), "offsets must ascend");
    require(std::all_of(neighbours.begin(), neighbours.end(),
                        [&view](std::int32_t one) { return one >= 0 && one < view.size; }),
            "a neighbour is out of range");
    return view;
}

}  // namespace dsir::lexrank
