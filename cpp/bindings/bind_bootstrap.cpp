#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "ngram/bootstrap.hpp"

namespace dsir::bindings {
namespace {

using ngram::BootstrapCounts;
using ngram::FeatureSpec;
using sampling::BootstrapDraw;

BootstrapDraw bootstrap_draw(std::uint64_t seed, std::uint32_t source) {
    require(source < 1U << 31, "source must be below 2^31");
    return {seed, source};
}

std::unique_ptr<BootstrapCounts> make_counts(const FeatureSpec& spec, std::uint32_t replicates,
                                             std::uint64_t seed, std::uint32_t source) {
    require(replicates >= 1 && replicates <= 1U << 24, "replicates must be 1 to 2^24");
    return std::make_unique<BootstrapCounts>(spec, bootstrap_draw(seed, source), replicates);
}

py::array_t<std::int64_t> add(BootstrapCounts& counts, const py::object& array,
                              std::uint64_t first_row, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(threads >= 1, "threads must be at least 1");
    std::vector<std::int64_t> invalid_rows;
    {
        // `imported` outlives the call, and the caller holds `counts`. No Python object is touched.
        const py::gil_scoped_release release;
        invalid_rows = counts.add(column, first_row, threads);
    }
    return to_numpy(std::move(invalid_rows));
}

py::array_t<std::int64_t> counts(const BootstrapCounts& counts) {
    return to_numpy(std::vector<std::int64_t>(counts.counts()));
}

py::array_t<std::int64_t> replicate(const BootstrapCounts& counts, std::uint32_t number) {
    require(number < counts.replicates(), "there is no such replicate");
    std::vector<std::int64_t> out(counts.buckets());
    counts.copy_replicate(number, out.data());
    return to_numpy(std::move(out));
}

py::array_t<std::uint8_t> weights(std::uint64_t seed, std::uint32_t source, std::uint64_t first_row,
                                  std::uint32_t rows, std::uint32_t replicates) {
    const BootstrapDraw draw = bootstrap_draw(seed, source);
    py::array_t<std::uint8_t> out({rows, replicates});
    std::uint8_t* at = out.mutable_data();
    for (std::uint64_t row = first_row; row < first_row + rows; ++row) {
        for (std::uint32_t first = 0; first < replicates; first += 4) {
            const auto four = sampling::bootstrap_counts(draw, row, first / 4);
            for (std::uint32_t i = 0; i < 4 && first + i < replicates; ++i) {
                *at++ = static_cast<std::uint8_t>(four[i]);
            }
        }
    }
    return out;
}

}  // namespace

void bind_bootstrap(py::module_& module) {
    py::class_<BootstrapCounts>(module, "BootstrapCounts")
        .def(py::init(&make_counts), py::arg("spec"), py::kw_only(), py::arg("replicates"),
             py::arg("seed"), py::arg("source") = 0)
        .def("add", &add, py::arg("array"), py::arg("first_row"), py::kw_only(),
             py::arg("threads") = 1)
        .def_property_readonly("counts", &counts)
        .def("replicate", &replicate, py::arg("number"));
    module.def("bootstrap_weights", &weights, py::kw_only(), py::arg("seed"), py::arg("source"),
               py::arg("first_row"), py::arg("rows"), py::arg("replicates"),
               "uint8[rows, replicates]: how often a document is in a replicate.");
}

}  // namespace dsir::bindings
