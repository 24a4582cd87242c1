#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "minhash/band_keys.hpp"
#include "ngram/feature_spec.hpp"

namespace dsir::bindings {
namespace {

py::array_t<std::uint64_t> band_keys(const py::object& array, const ngram::FeatureSpec& spec,
                                     unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(threads >= 1, "threads must be at least 1");
    py::array_t<std::uint64_t> keys({std::int64_t{minhash::kBands}, column.size()});
    std::uint64_t* const out = keys.mutable_data();
    {
        // `imported` and `keys` outlive the call. Only memory is touched.
        const py::gil_scoped_release release;
        minhash::band_keys(column, {spec.cutting, spec.form}, threads, out);
    }
    return keys;
}

}  // namespace

void bind_minhash(py::module_& module) {
    module.attr("MINHASH") = minhash::kMinHash;
    module.attr("MINHASH_BANDS") = minhash::kBands;
    module.attr("MINHASH_ROWS") = minhash::kRows;
    module.attr("MINHASH_ORDER") = minhash::kOrder;
    module.def("band_keys", &band_keys, py::arg("array"), py::arg("spec"), py::kw_only(),
               py::arg("threads") = 1,
               "uint64[bands, rows]: texts that share the key of a band are near duplicates.");
}

}  // namespace dsir::bindings
