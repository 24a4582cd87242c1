#include <algorithm>
#include <optional>
#include <span>
#include <variant>

#include "bindings/python.hpp"
#include "lexrank/centrality.hpp"
#include "lexrank/checked_views.hpp"
#include "lexrank/similarity_join.hpp"

namespace dsir::bindings {
namespace {

using numeric::DenseRows;
using numeric::SparseRows;
using OptionalDoubles = std::optional<Array<double>>;
using OptionalBytes = std::optional<Array<std::uint8_t>>;

/// Vectors of units, which were checked once. Keeps the arrays alive.
struct UnitRows {
    std::variant<SparseRows<float>, SparseRows<double>, DenseRows> rows;
    std::vector<py::object> owners;

    std::int64_t size() const {
        return std::visit([](const auto& view) { return view.size; }, rows);
    }
    std::int64_t width() const {
        return std::visit([](const auto& view) { return view.width; }, rows);
    }
};

template <class T>
std::span<const T> span_of(const Array<T>& array) {
    return {array.data(), static_cast<std::size_t>(array.size())};
}

template <class Value>
UnitRows sparse(const Array<std::int64_t>& offsets, const Array<std::int32_t>& columns,
                const Array<Value>& values, const Array<double>& column_scale) {
    require(offsets.ndim() == 1, "offsets must have one entry more than there are rows");
    require(columns.ndim() == 1 && values.ndim() == 1,
            "columns and values must be one-dimensional and of equal length");
    require(column_scale.ndim() == 1, "column_scale must be one-dimensional");
    return {lexrank::checked_sparse(span_of(offsets), span_of(columns), span_of(values),
                                    span_of(column_scale)),
            {offsets, columns, values, column_scale}};
}

UnitRows dense(const Array<float>& values) {
    require(values.ndim() == 2, "embeddings must be two-dimensional");
    return {lexrank::checked_dense(values.shape(0), values.shape(1), values.data()), {values}};
}

/// The first row with a value below 0, or -1 if there is none.
std::int64_t negative_row(const UnitRows& units) {
    return std::visit(
        [](const auto& view) {
            for (std::int64_t i = 0; i < view.size; ++i) {
                bool negative = false;
                view.each(i, [&](auto column, double value) {
                    negative = negative || value * view.scale(column) < 0;
                });
                if (negative) return i;
            }
            return std::int64_t{-1};
        },
        units.rows);
}

/// 1 for each row with an entry (dense: with a value that is not zero), 0 for the other rows.
py::array_t<std::uint8_t> occupied(const UnitRows& units) {
    std::vector<std::uint8_t> result(static_cast<std::size_t>(units.size()));
    if (const auto* const view = std::get_if<DenseRows>(&units.rows)) {
        for (std::int64_t i = 0; i < view->size; ++i) {
            view->each(i, [&](std::int64_t, double value) { result[i] |= value != 0.0; });
        }
    } else {
        const std::int64_t* const offsets = std::visit(
            [](const auto& rows) -> const std::int64_t* {
                if constexpr (requires { rows.offsets; }) return rows.offsets;
                return nullptr;
            },
            units.rows);
        for (std::size_t i = 0; i < result.size(); ++i) result[i] = offsets[i] < offsets[i + 1];
    }
    return to_numpy(std::move(result));
}

lexrank::WalkSettings walk_settings(std::int64_t size, double damping, double tolerance,
                                    std::int64_t max_iterations, const OptionalDoubles& teleport,
                                    const OptionalBytes& takes_part, unsigned threads) {
    require(damping >= 0 && damping <= 1, "damping must be 0 to 1");
    require(tolerance >= 0, "tolerance must not be negative");
    require(max_iterations >= 1, "max_iterations must be at least 1");
    require(threads >= 1, "threads must be at least 1");
    require(!teleport || (teleport->ndim() == 1 && teleport->size() == size),
            "teleport must have one entry per unit");
    require(!takes_part || (takes_part->ndim() == 1 && takes_part->size() == size),
            "takes_part must have one entry per unit");
    return {damping,
            tolerance,
            max_iterations,
            teleport ? teleport->data() : nullptr,
            takes_part ? takes_part->data() : nullptr,
            threads};
}

py::tuple wrapped(lexrank::Walk&& walk) {
    return py::make_tuple(to_numpy(std::move(walk.scores)), walk.iterations, walk.change,
                          walk.converged);
}

py::tuple walk_cosines(const UnitRows& units, double damping, double tolerance,
                       std::int64_t max_iterations, const OptionalDoubles& teleport,
                       const OptionalBytes& takes_part, unsigned threads) {
    const auto settings = walk_settings(units.size(), damping, tolerance, max_iterations, teleport,
                                        takes_part, threads);
    lexrank::Walk walk;
    {
        // The caller's frame holds `units` and the arrays. Only memory is touched.
        const py::gil_scoped_release release;
        walk = std::visit([&](const auto& rows) { return lexrank::walk_cosines(rows, settings); },
                          units.rows);
    }
    return wrapped(std::move(walk));
}

py::array_t<double> cosine_degrees(const UnitRows& units, unsigned threads) {
    require(threads >= 1, "threads must be at least 1");
    std::vector<double> degrees;
    {
        const py::gil_scoped_release release;
        degrees = std::visit(
            [&](const auto& rows) { return lexrank::cosine_degrees(rows, threads); }, units.rows);
    }
    return to_numpy(std::move(degrees));
}

py::array_t<double> directed_degrees(const UnitRows& units,
                                     const py::array_t<std::int64_t>& documents, double preceding,
                                     unsigned threads) {
    require(threads >= 1, "threads must be at least 1");
    require(documents.ndim() == 1 && documents.size() >= 1, "documents must be offsets");
    const std::vector<std::int64_t> offsets(documents.data(), documents.data() + documents.size());
    require(offsets.front() == 0 && offsets.back() == units.size() &&
                std::is_sorted(offsets.begin(), offsets.end()),
            "documents must ascend from 0 to the number of units");
    std::vector<double> degrees;
    {
        const py::gil_scoped_release release;
        degrees = std::visit(
            [&](const auto& rows) {
                return lexrank::directed_degrees(rows, offsets, preceding, threads);
            },
            units.rows);
    }
    return to_numpy(std::move(degrees));
}

py::array_t<double> cosines_with(const UnitRows& units, std::int64_t row, unsigned threads) {
    require(threads >= 1, "threads must be at least 1");
    require(row >= 0 && row < units.size(), "the row is out of range");
    std::vector<double> cosines;
    {
        const py::gil_scoped_release release;
        cosines =
            std::visit([&](const auto& rows) { return lexrank::cosines_with(rows, row, threads); },
                       units.rows);
    }
    return to_numpy(std::move(cosines));
}

py::tuple similarity_join(const UnitRows& units, double threshold, bool strict, bool self_edges,
                          bool weights, std::int64_t top_k, unsigned threads,
                          std::int64_t block_rows) {
    require(threshold > 0 && threshold <= 1, "threshold must be above 0 and at most 1");
    require(top_k >= 0, "top_k must not be negative");
    require(threads >= 1, "threads must be at least 1");
    require(block_rows >= 0 && block_rows <= 1 << 16, "block_rows must be 0 to 65,536");
    const lexrank::JoinSettings settings{threshold, strict, self_edges, threads, block_rows};
    lexrank::Graph found;
    {
        const py::gil_scoped_release release;
        found = std::visit(
            [&](const auto& rows) {
                return top_k == 0 ? lexrank::threshold_join(rows, settings, weights)
                                  : lexrank::top_k_join(rows, settings, top_k, weights);
            },
            units.rows);
    }
    py::object cosines = py::none();
    if (weights) cosines = to_numpy(std::move(found.weights));
    return py::make_tuple(to_numpy(std::move(found.offsets)), to_numpy(std::move(found.neighbours)),
                          cosines);
}

lexrank::GraphView graph_view(const Array<std::int64_t>& offsets,
                              const Array<std::int32_t>& neighbours,
                              const OptionalDoubles& weights) {
    require(offsets.ndim() == 1 && neighbours.ndim() == 1,
            "offsets must have one entry more than there are units, and neighbours must be "
            "one-dimensional");
    require(!weights || (weights->ndim() == 1 && weights->size() == neighbours.size()),
            "weights must have one entry per edge");
    return lexrank::checked_graph(span_of(offsets), span_of(neighbours),
                                  weights ? weights->data() : nullptr);
}

py::tuple walk_graph(const Array<std::int64_t>& offsets, const Array<std::int32_t>& neighbours,
                     const OptionalDoubles& weights, double damping, double tolerance,
                     std::int64_t max_iterations, const OptionalDoubles& teleport,
                     const OptionalBytes& takes_part, unsigned threads) {
    const lexrank::GraphView view = graph_view(offsets, neighbours, weights);
    const auto settings =
        walk_settings(view.size, damping, tolerance, max_iterations, teleport, takes_part, threads);
    lexrank::Walk walk;
    {
        const py::gil_scoped_release release;
        walk = lexrank::walk_graph(view, settings);
    }
    return wrapped(std::move(walk));
}

py::array_t<double> graph_degrees(const Array<std::int64_t>& offsets,
                                  const Array<std::int32_t>& neighbours,
                                  const OptionalDoubles& weights, unsigned threads) {
    require(threads >= 1, "threads must be at least 1");
    const lexrank::GraphView view = graph_view(offsets, neighbours, weights);
    std::vector<double> degrees;
    {
        const py::gil_scoped_release release;
        degrees = lexrank::graph_degrees(view, threads);
    }
    return to_numpy(std::move(degrees));
}

}  // namespace

void bind_lexrank(py::module_& module) {
    py::class_<UnitRows>(module, "UnitRows")
        .def_static("sparse", &sparse<float>, py::arg("offsets").noconvert(),
                    py::arg("columns").noconvert(), py::arg("values").noconvert(),
                    py::arg("column_scale").noconvert())
        .def_static("sparse", &sparse<double>, py::arg("offsets").noconvert(),
                    py::arg("columns").noconvert(), py::arg("values").noconvert(),
                    py::arg("column_scale").noconvert())
        .def_static("dense", &dense, py::arg("values").noconvert())
        .def_property_readonly("size", &UnitRows::size)
        .def_property_readonly("width", &UnitRows::width)
        .def("negative_row", &negative_row)
        .def("occupied", &occupied);
    module.def("walk_cosines", &walk_cosines, py::arg("units"), py::kw_only(), py::arg("damping"),
               py::arg("tolerance"), py::arg("max_iterations"),
               py::arg("teleport").noconvert() = py::none(),
               py::arg("takes_part").noconvert() = py::none(), py::arg("threads") = 1);
    module.def("cosine_degrees", &cosine_degrees, py::arg("units"), py::kw_only(),
               py::arg("threads") = 1);
    module.def("directed_degrees", &directed_degrees, py::arg("units"),
               py::arg("documents").noconvert(), py::kw_only(), py::arg("preceding"),
               py::arg("threads") = 1);
    module.def("cosines_with", &cosines_with, py::arg("units"), py::arg("row"), py::kw_only(),
               py::arg("threads") = 1);
    module.def("similarity_join", &similarity_join, py::arg("units"), py::kw_only(),
               py::arg("threshold"), py::arg("strict") = false, py::arg("self_edges") = true,
               py::arg("weights") = true, py::arg("top_k") = 0, py::arg("threads") = 1,
               py::arg("block_rows") = lexrank::JoinSettings{}.block_rows);
    module.def("walk_graph", &walk_graph, py::arg("offsets").noconvert(),
               py::arg("neighbours").noconvert(), py::arg("weights").noconvert(), py::kw_only(),
               py::arg("damping"), py::arg("tolerance"), py::arg("max_iterations"),
               py::arg("teleport").noconvert() = py::none(),
               py::arg("takes_part").noconvert() = py::none(), py::arg("threads") = 1);
    module.def("graph_degrees", &graph_degrees, py::arg("offsets").noconvert(),
               py::arg("neighbours").noconvert(), py::arg("weights").noconvert(), py::kw_only(),
               py::arg("threads") = 1);
}

}  // namespace dsir::bindings
