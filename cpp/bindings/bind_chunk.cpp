#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "bindings/tokenizer_kind.hpp"
#include "chunk/chunk.hpp"
#include "chunk/slice.hpp"

namespace dsir::bindings {
namespace {

py::tuple chunk(const py::object& array, std::uint64_t tokens, std::uint64_t stride,
                const std::string& tokenizer, const std::optional<std::string>& normalize,
                unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(tokens >= 1 && tokens <= std::uint64_t{1} << 31, "tokens must be 1 to 2^31");
    require(stride >= 1 && stride <= tokens, "stride must be 1 to tokens");
    const text::TokenizerKind kind = tokenizer_kind(tokenizer);
    const text::Form form = form_of(normalize);
    require(threads >= 1, "threads must be at least 1");
    chunk::Chunks chunks;
    {
        // `imported` outlives the call. No Python object is touched.
        const py::gil_scoped_release release;
        chunks = chunk::chunk(column, kind, form, {tokens, stride}, threads);
    }
    return py::make_tuple(to_numpy(std::move(chunks.rows)), to_numpy(std::move(chunks.starts)),
                          to_numpy(std::move(chunks.lengths)),
                          to_numpy(std::move(chunks.invalid_rows)));
}

py::tuple slice_texts(const py::object& array, const Array<std::int64_t>& rows,
                      const Array<std::int64_t>& starts, const Array<std::int64_t>& lengths) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(rows.ndim() == 1 && starts.ndim() == 1 && lengths.ndim() == 1 &&
                rows.size() == starts.size() && rows.size() == lengths.size(),
            "rows, starts and lengths must be one-dimensional and of equal length");
    const chunk::Spans spans{rows.data(), starts.data(), lengths.data(), rows.size()};
    chunk::Slices slices;
    {
        // The caller holds the arrays, which are only read.
        const py::gil_scoped_release release;
        slices = chunk::slice(column, spans);
    }
    return py::make_tuple(to_numpy(std::move(slices.offsets)), to_numpy(std::move(slices.data)),
                          to_numpy(std::move(slices.char_starts)),
                          to_numpy(std::move(slices.char_stops)));
}

}  // namespace

void bind_chunk(py::module_& module) {
    module.def("chunk", &chunk, py::arg("array"), py::kw_only(), py::arg("tokens"),
               py::arg("stride"), py::arg("tokenizer") = "wordpunct",
               py::arg("normalize") = py::none(), py::arg("threads") = 1,
               "(row, start, length, invalid_rows): the windows of the rows, in bytes.");
    module.def("slice_texts", &slice_texts, py::arg("array"), py::arg("rows").noconvert(),
               py::arg("starts").noconvert(), py::arg("lengths").noconvert(),
               "(offsets, data, char_start, char_stop) of spans of the rows.");
}

}  // namespace dsir::bindings
