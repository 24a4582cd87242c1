#include <memory>

#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "contamination/finder.hpp"
#include "ngram/feature_spec.hpp"

namespace dsir::bindings {
namespace {

using contamination::NgramIndex;

std::unique_ptr<NgramIndex> make_index(const py::object& texts, const ngram::FeatureSpec& spec,
                                       unsigned n) {
    require(n >= contamination::kMinOrder && n <= contamination::kMaxOrder, "n must be 1 to 1024");
    const ImportedArray imported(texts);
    const arrow::TextColumn column = imported.text();
    require(column.size() < NgramIndex::kNone, "there must be fewer than 2^32 - 1 texts");
    const py::gil_scoped_release release;
    return std::make_unique<NgramIndex>(column, ngram::Tokens{spec.cutting, spec.form}, n);
}

py::tuple find(const NgramIndex& index, const py::object& array, std::uint32_t most,
               unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(most >= 1 && most <= contamination::kMostHits, "most must be 1 to 1,000");
    require(threads >= 1, "threads must be at least 1");
    py::array_t<std::uint32_t> ngrams(column.size()), text(column.size());
    const contamination::Found out{ngrams.mutable_data(), text.mutable_data(), most};
    {
        // This frame holds the outputs, and the caller's frame holds `index`. Only memory is
        // touched.
        const py::gil_scoped_release release;
        contamination::find(column, index, threads, out);
    }
    return py::make_tuple(ngrams, text);
}

}  // namespace

void bind_contamination(py::module_& module) {
    module.attr("MOST_CONTAMINATION_HITS") = contamination::kMostHits;
    module.attr("MAX_CONTAMINATION_ORDER") = contamination::kMaxOrder;
    py::class_<NgramIndex>(module, "NgramIndex")
        .def(py::init(&make_index), py::arg("texts"), py::arg("spec"), py::arg("n"))
        .def("__len__", &NgramIndex::size)
        .def("lengths",
             [](const NgramIndex& index) {
                 const auto found = index.lengths();
                 return to_numpy(std::vector<std::uint32_t>(found.begin(), found.end()));
             })
        .def("find", &find, py::arg("array"), py::kw_only(), py::arg("most"),
             py::arg("threads") = 1, "(ngrams, text) of the rows.");
}

}  // namespace dsir::bindings
