// Arrays from outside as rows or graphs. They are refused, or the joins find the same pairs as
// comparing all pairs, and the scores of the walks add up to 1.

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>

#include "fuzz_input.hpp"
#include "lexrank/checked_views.hpp"
#include "lexrank/similarity_join.hpp"

#include <vector>

namespace {

using namespace dsir;
using lexrank::Graph;

/// A small number, or sometimes any number.
template <class Value>
Value number(fuzz::Input& input) {
    const std::uint8_t kind = input.byte();
    if (kind < 224) return static_cast<Value>(static_cast<int>(kind % 9) - 2) / 2;
    if (kind < 240) return input.take<Value>();
    constexpr double kOdd[] = {1e-300, 1e300, -1e155, 1e-160, 3e38, 1e-45, 1e-20, 1e19};
    return static_cast<Value>(kOdd[kind % 8]);
}

struct Sparse {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> columns;
    std::vector<double> values;
    std::vector<double> scale;
};

std::int64_t place(fuzz::Input& input, std::int64_t right) {
    const std::uint8_t kind = input.byte();
    if (kind < 250) return right;
    return kind < 253 ? right + static_cast<std::int8_t>(input.byte()) : input.take<std::int64_t>();
}

Sparse sparse_in(fuzz::Input& input) {
    Sparse rows;
    const std::size_t size = input.below(24);
    const std::size_t width = input.below(8);
    for (std::size_t c = 0; c < width; ++c) {
        const std::uint8_t kind = input.byte();
        rows.scale.push_back(kind < 200 ? 0.25 * (kind % 6) : number<double>(input));
    }
    for (std::size_t i = 0; i < size; ++i) {
        const std::uint8_t present = input.byte();
        for (std::size_t c = 0; c < width; ++c) {
            if (((present >> c) & 1) == 0) continue;
            const std::int64_t column = place(input, static_cast<std::int64_t>(c));
            rows.columns.push_back(static_cast<std::int32_t>(column));
            rows.values.push_back(number<double>(input));
        }
        rows.offsets.push_back(place(input, static_cast<std::int64_t>(rows.columns.size())));
    }
    return rows;
}

/// The cosines of all pairs in extended precision. NaN if a row is zero.
using Matrix = std::vector<std::vector<long double>>;

Matrix cosines_of(const Matrix& rows) {
    Matrix cosines(rows.size(), std::vector<long double>(rows.size()));
    const auto product = [&rows](std::size_t i, std::size_t j) {
        long double sum = 0;
        for (std::size_t c = 0; c < rows[i].size(); ++c) sum += rows[i][c] * rows[j][c];
        return sum;
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t j = 0; j < rows.size(); ++j) {
            cosines[i][j] = product(i, j) / std::sqrt(product(i, i) * product(j, j));
        }
    }
    return cosines;
}

void check_shape(const Graph& found, std::size_t size) {
    HOLDS(found.offsets.size() == size + 1 && found.offsets.front() == 0);
    HOLDS(found.offsets.back() == static_cast<std::int64_t>(found.neighbours.size()));
    HOLDS(found.weights.size() == found.neighbours.size());
    for (std::size_t i = 0; i < size; ++i) {
        HOLDS(found.offsets[i] <= found.offsets[i + 1]);
        for (std::int64_t k = found.offsets[i]; k < found.offsets[i + 1]; ++k) {
            const std::int32_t j = found.neighbours[k];
            HOLDS(j >= 0 && static_cast<std::size_t>(j) < size);
            HOLDS(k == found.offsets[i] || found.neighbours[k - 1] < j);
            const auto from = found.neighbours.begin() + found.offsets[j];
            const auto to = found.neighbours.begin() + found.offsets[j + 1];
            const auto back = std::lower_bound(from, to, static_cast<std::int32_t>(i));
            HOLDS(back != to && *back == static_cast<std::int32_t>(i));
            HOLDS(found.weights[k] == found.weights[back - found.neighbours.begin()]);
        }
    }
}

/// The weight of an edge, or nothing if the graph does not have the edge.
std::optional<double> edge(const Graph& found, std::size_t i, std::size_t j) {
    for (std::int64_t k = found.offsets[i]; k < found.offsets[i + 1]; ++k) {
        if (found.neighbours[k] == static_cast<std::int32_t>(j)) return found.weights[k];
    }
    return std::nullopt;
}

void check_join(const Graph& found, const Matrix& cosines, const lexrank::JoinSettings& settings) {
    check_shape(found, cosines.size());
    for (std::size_t i = 0; i < cosines.size(); ++i) {
        for (std::size_t j = 0; j < cosines.size(); ++j) {
            const long double cosine = cosines[i][j];
            const auto weight = edge(found, i, j);
            if (std::isnan(cosine)) {
                HOLDS(!weight);
            } else if (i == j) {
                HOLDS(weight.has_value() == settings.self_edges);
                HOLDS(!weight || *weight == 1.0);
            } else {
                if (cosine > settings.threshold + 1e-9L) HOLDS(weight.has_value());
                if (cosine < settings.threshold - 1e-9L) HOLDS(!weight);
                HOLDS(!weight || std::abs(*weight - cosine) < 1e-9L);
            }
        }
    }
}

/// The k nearest of each row are there, and so is nothing that is not among the k nearest of either
/// row.
void check_nearest(const Graph& found, const Matrix& cosines, const lexrank::JoinSettings& settings,
                   std::size_t k) {
    check_shape(found, cosines.size());
    const std::size_t size = cosines.size();
    const auto nearer = [&cosines, size](std::size_t i, std::size_t j, long double by) {
        std::size_t count = 0;
        for (std::size_t other = 0; other < size; ++other) {
            if (other != i && other != j && cosines[i][other] > cosines[i][j] + by) ++count;
        }
        return count;
    };
    for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t j = 0; j < size; ++j) {
            if (i == j || std::isnan(cosines[i][j])) continue;
            const bool there = edge(found, i, j).has_value();
            if (cosines[i][j] < settings.threshold - 1e-9L) HOLDS(!there);
            if (cosines[i][j] < settings.threshold + 1e-9L) continue;
            // At most k - 1 others are as near or nearer, so the edge must be there.
            if (nearer(i, j, -1e-9L) < k) HOLDS(there);
            if (nearer(i, j, 1e-9L) >= k && nearer(j, i, 1e-9L) >= k) HOLDS(!there);
        }
    }
}

bool same(const Graph& a, const Graph& b) {
    return a.offsets == b.offsets && a.neighbours == b.neighbours && a.weights == b.weights;
}

void check_walk(const lexrank::Walk& walk, std::int64_t size, bool exact) {
    HOLDS(static_cast<std::int64_t>(walk.scores.size()) == size);
    double sum = 0;
    for (const double score : walk.scores) {
        HOLDS(std::isfinite(score));
        sum += score;
    }
    if (size != 0 && exact) HOLDS(std::abs(sum - 1) < 1e-6);
}

template <class Rows>
void check_rows(const Rows& rows, const Matrix& plain, fuzz::Input& input) {
    const Matrix cosines = cosines_of(plain);
    lexrank::JoinSettings settings;
    settings.threshold = (1 + static_cast<double>(input.below(64))) / 64;
    settings.strict = input.below(2) == 1;
    settings.self_edges = input.below(2) == 1;
    settings.block_rows = 1 + static_cast<std::int64_t>(input.below(40));
    lexrank::JoinSettings other = settings;
    other.block_rows = 8192;
    other.threads = 1 + static_cast<unsigned>(input.below(16) == 0);
    const Graph joined = lexrank::threshold_join(rows, settings, true);
    check_join(joined, cosines, settings);
    HOLDS(same(joined, lexrank::threshold_join(rows, other, true)));
    const auto k = static_cast<std::int64_t>(1 + input.below(6));
    const Graph nearest = lexrank::top_k_join(rows, settings, k, true);
    check_nearest(nearest, cosines, settings, static_cast<std::size_t>(k));
    HOLDS(same(nearest, lexrank::top_k_join(rows, other, k, true)));

    bool negative = false;
    for (const auto& row : plain) {
        for (const long double value : row) negative = negative || value < 0;
    }
    lexrank::WalkSettings walk;
    walk.max_iterations = 20;
    const std::vector<double> degrees = lexrank::cosine_degrees(rows, 1);
    for (std::size_t i = 0; i < plain.size(); ++i) {
        long double sum = 0;
        for (const long double cosine : cosines[i]) sum += std::isnan(cosine) ? 0 : cosine;
        HOLDS(std::abs(degrees[i] - sum) < 1e-9L * (1 + plain.size()));
        for (const double cosine : lexrank::cosines_with(rows, static_cast<std::int64_t>(i), 1)) {
            HOLDS(std::isfinite(cosine));
        }
    }
    if (!negative) check_walk(lexrank::walk_cosines(rows, walk), rows.size, true);
}

void check_sparse(fuzz::Input& input) {
    const Sparse arrays = sparse_in(input);
    std::optional<numeric::SparseRows<double>> rows;
    try {
        rows = lexrank::checked_sparse<double>(arrays.offsets, arrays.columns, arrays.values,
                                               arrays.scale);
    } catch (const std::invalid_argument&) {
        return;
    }
    Matrix plain(static_cast<std::size_t>(rows->size),
                 std::vector<long double>(arrays.scale.size()));
    for (std::size_t i = 0; i < plain.size(); ++i) {
        rows->each(static_cast<std::int64_t>(i), [&](std::int64_t column, double value) {
            plain[i][static_cast<std::size_t>(column)] =
                static_cast<long double>(value) * arrays.scale[static_cast<std::size_t>(column)];
        });
    }
    check_rows(*rows, plain, input);
}

void check_dense(fuzz::Input& input) {
    const std::size_t size = input.below(40);
    const std::size_t width = input.below(9);
    std::vector<float> values(size * width);
    for (float& value : values) value = number<float>(input);
    std::optional<numeric::DenseRows> rows;
    try {
        rows = lexrank::checked_dense(static_cast<std::int64_t>(size),
                                      static_cast<std::int64_t>(width), values.data());
    } catch (const std::invalid_argument&) {
        return;
    }
    Matrix plain(size, std::vector<long double>(width));
    for (std::size_t i = 0; i < values.size(); ++i) plain[i / width][i % width] = values[i];
    check_rows(*rows, plain, input);
}

void check_graph(fuzz::Input& input) {
    const std::size_t size = input.below(20);
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> neighbours;
    std::vector<double> weights;
    for (std::size_t i = 0; i < size; ++i) {
        for (std::size_t edges = input.below(6); edges > 0; --edges) {
            const auto right = static_cast<std::int64_t>(input.below(size));
            neighbours.push_back(static_cast<std::int32_t>(place(input, right)));
            weights.push_back(1 + static_cast<double>(input.below(4)));
        }
        offsets.push_back(place(input, static_cast<std::int64_t>(neighbours.size())));
    }
    const bool weighted = input.below(2) == 1;
    std::optional<lexrank::GraphView> view;
    try {
        view = lexrank::checked_graph(offsets, neighbours, weighted ? weights.data() : nullptr);
    } catch (const std::invalid_argument&) {
        return;
    }
    lexrank::WalkSettings settings;
    settings.damping = static_cast<double>(input.below(17)) / 16;
    settings.max_iterations = 20;
    // This graph is not symmetric, so the scores need not add up to 1.
    check_walk(lexrank::walk_graph(*view, settings), view->size, false);
    const std::vector<double> degrees = lexrank::graph_degrees(*view, 1);
    for (std::size_t i = 0; i < size; ++i) {
        double sum = 0;
        for (std::int64_t k = offsets[i]; k < offsets[i + 1]; ++k) sum += weighted ? weights[k] : 1;
        HOLDS(degrees[i] == sum);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    switch (input.below(3)) {
        case 0:
            check_sparse(input);
            break;
        case 1:
            check_dense(input);
            break;
        default:
            check_graph(input);
    }
    return 0;
}
