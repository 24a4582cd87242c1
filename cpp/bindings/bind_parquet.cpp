#include <algorithm>
#include <optional>

#include "bindings/python.hpp"
#include "parquet/footer.hpp"
#include "parquet/pages.hpp"

namespace dsir::bindings {
namespace {

/// The leaves of some columns of the table, and their chunks in a row group.
py::list chunks(const parquet::Footer& footer, std::size_t group,
                const std::optional<std::vector<std::uint32_t>>& columns) {
    const auto of_group = footer.chunks(group);
    py::list found;
    for (std::size_t k = 0; k < of_group.size(); ++k) {
        const parquet::Leaf& leaf = footer.leaves()[k];
        if (columns && std::ranges::find(*columns, leaf.column) == columns->end()) continue;
        const parquet::ColumnChunk& chunk = of_group[k];
        found.append(py::make_tuple(k, leaf.type, leaf.length, leaf.repeated, leaf.nullable,
                                    chunk.start, chunk.values, chunk.codec, chunk.bytes));
    }
    return found;
}

std::optional<py::tuple> page_header(std::string_view bytes) {
    const auto header = parquet::read_page_header(bytes);
    if (!header) return std::nullopt;
    return py::make_tuple(header->bytes, header->type, header->uncompressed, header->compressed,
                          header->values, header->encoding, header->level_bytes,
                          header->is_compressed);
}

std::string_view bytes_of(const py::buffer_info& info) {
    require(info.ndim == 1 && info.itemsize == 1 && (info.size <= 1 || info.strides[0] == 1),
            "expected a one-dimensional buffer of bytes");
    return {static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size)};
}

std::int64_t longest_value(const py::buffer& page, std::int64_t count) {
    const py::buffer_info info = page.request();
    const std::string_view bytes = bytes_of(info);
    const py::gil_scoped_release release;
    return parquet::longest_plain_value(bytes, count);
}

std::int64_t index_uses(const py::buffer& page, int levels, std::uint32_t distinct) {
    const py::buffer_info info = page.request();
    const std::string_view bytes = bytes_of(info);
    const py::gil_scoped_release release;
    return parquet::most_uses_of_an_index(bytes, levels, distinct);
}

}  // namespace

void bind_parquet(py::module_& module) {
    py::class_<parquet::Footer>(module, "ParquetFooter",
                                "A footer that contradicts neither itself nor its file's size.")
        .def(py::init<std::string_view, std::int64_t>(), py::arg("footer"), py::arg("data_end"),
             py::call_guard<py::gil_scoped_release>())
        .def("chunks", &chunks, py::arg("group"), py::arg("columns") = py::none());
    module.def("parquet_page_header", &page_header, py::arg("data"), "The header of a page.");
    module.def("longest_parquet_value", &longest_value, py::arg("page"), py::arg("count"),
               "The bytes of the longest value of a page that is encoded plainly.");
    module.def("parquet_index_uses", &index_uses, py::arg("page"), py::arg("levels"),
               py::arg("distinct"), "How often the index that is used most is used in a page.");
}

}  // namespace dsir::bindings
