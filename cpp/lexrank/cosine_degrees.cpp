#include <utility>
#include <vector>

#include "lexrank/centrality.hpp"
#include "lexrank/cosine_products.hpp"

namespace dsir::lexrank {

namespace {

struct OfRows {
    std::vector<double> inverse_norms;
    std::vector<double> degrees;
};

template <class Rows>
OfRows degrees_of(const Rows& rows, unsigned threads) {
    Products<Rows> products(rows, threads);
    std::vector<double> sums(static_cast<std::size_t>(rows.width));
    OfRows of{products.inverse_norms(sums), std::vector<double>(rows.size)};
    products.read_next(sums);
    products.each_row([&](std::int64_t i) {
        const double inverse = of.inverse_norms[i];
        of.degrees[i] = inverse == 0.0 ? 0.0 : inverse * products.product(i);
    });
    return of;
}

}  // namespace

template <class Rows>
std::vector<double> cosine_degrees(const Rows& rows, unsigned threads) {
    return degrees_of(rows, threads).degrees;
}

template <class Rows>
std::vector<double> directed_degrees(const Rows& rows, const std::vector<std::int64_t>& documents,
                                     double preceding, unsigned threads) {
    OfRows of = degrees_of(rows, threads);
    const std::vector<double>& inverse_norms = of.inverse_norms;
    std::vector<double>& degree = of.degrees;
    // The sums of the rows of a document so far, and of all its rows. Only its own columns are
    // cleared afterwards.
    std::vector<double> before(static_cast<std::size_t>(rows.width));
    std::vector<double> within(static_cast<std::size_t>(rows.width));
    const auto add = [&](std::int64_t i, std::vector<double>& sums) {
        rows.each(i, [&](std::int64_t column, double value) {
            sums[column] += value * rows.scale(column) * inverse_norms[i];
        });
    };
    const auto product = [&](std::int64_t i, const std::vector<double>& sums) {
        double sum = 0;
        rows.each(i, [&](std::int64_t column, double value) {
            sum += value * rows.scale(column) * sums[column];
        });
        return sum * inverse_norms[i];
    };
    for (std::size_t d = 0; d + 1 < documents.size(); ++d) {
        for (std::int64_t i = documents[d]; i < documents[d + 1]; ++i) add(i, within);
        for (std::int64_t i = documents[d]; i < documents[d + 1]; ++i) {
            if (inverse_norms[i] == 0.0) continue;
            const double earlier = product(i, before);
            const double all = product(i, within);
            const double elsewhere = degree[i] - all;
            degree[i] =
                preceding * earlier + (1 - preceding) * (all - earlier - 1.0) + 0.5 * elsewhere;
            add(i, before);
        }
        for (std::int64_t i = documents[d]; i < documents[d + 1]; ++i) {
            rows.each(i, [&](std::int64_t column, double) { before[column] = within[column] = 0; });
        }
    }
    return std::move(of.degrees);
}

template <class Rows>
std::vector<double> cosines_with(const Rows& rows, std::int64_t row, unsigned threads) {
    Products<Rows> products(rows, threads);
    std::vector<double> sums(static_cast<std::size_t>(rows.width));
    std::vector<double> cosine = products.inverse_norms(sums);
    products.pass([&](std::int64_t i, const auto&) { return i == row ? cosine[i] : 0.0; }, sums);
    products.read_next(sums);
    products.each_row([&](std::int64_t i) { cosine[i] *= products.product(i); });
    cosine[row] = 1.0;
    return cosine;
}

#define DSIR_LEXRANK_INSTANTIATE(...)                                            \
    template std::vector<double> cosine_degrees(const __VA_ARGS__&, unsigned);   \
    template std::vector<double> directed_degrees(                               \
        const __VA_ARGS__&, const std::vector<std::int64_t>&, double, unsigned); \
    template std::vector<double> cosines_with(const __VA_ARGS__&, std::int64_t, unsigned)

DSIR_LEXRANK_INSTANTIATE(numeric::SparseRows<float>);
DSIR_LEXRANK_INSTANTIATE(numeric::SparseRows<double>);
DSIR_LEXRANK_INSTANTIATE(numeric::DenseRows);

}  // namespace dsir::lexrank
