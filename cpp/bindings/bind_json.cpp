#include <memory>

#include "bindings/python.hpp"
#include "json/text_field.hpp"

namespace dsir::bindings {
namespace {

template <class Offset>
py::tuple read_texts(const std::uint8_t* data, std::span<const std::int64_t> starts,
                     std::span<const std::int64_t> ends, std::size_t bytes,
                     json::TextFieldReader& reader) {
    const auto rows = static_cast<py::ssize_t>(starts.size());
    py::array_t<Offset> offsets(rows + 1);
    py::array_t<std::uint8_t> values(static_cast<py::ssize_t>(bytes + simd::kJsonSlack));
    py::array_t<std::uint8_t> kinds(rows);
    {
        Offset* const offset = offsets.mutable_data();
        std::uint8_t* const value = values.mutable_data();
        auto* const kind = reinterpret_cast<json::LineKind*>(kinds.mutable_data());
        const py::gil_scoped_release release;
        json::read_text_fields(data, starts, ends, reader, offset, value, kind);
    }
    return py::make_tuple(std::move(offsets), std::move(values), std::move(kinds));
}

py::tuple json_texts(const py::buffer& data, const Array<std::int64_t>& starts,
                     const Array<std::int64_t>& ends, const std::vector<py::bytes>& field) {
    const py::buffer_info info = data.request();
    require(info.ndim == 1 && info.itemsize == 1 && (info.size <= 1 || info.strides[0] == 1),
            "expected a one-dimensional buffer of bytes");
    require(starts.ndim() == 1 && ends.ndim() == 1 && starts.size() == ends.size(),
            "the starts and ends of the lines must be one-dimensional and of equal length");
    require(!field.empty(), "the field must have a name");
    const auto rows = static_cast<std::size_t>(starts.size());
    const std::span<const std::int64_t> first(starts.data(), rows);
    const std::span<const std::int64_t> last(ends.data(), rows);
    std::size_t bytes = 0;
    for (std::size_t row = 0; row < rows; ++row) {
        require(first[row] >= 0 && first[row] <= last[row] && last[row] <= info.size,
                "a line lies outside the data");
        bytes += static_cast<std::size_t>(last[row] - first[row]);
    }
    json::TextFieldReader reader({field.begin(), field.end()},
                                 simd::json_string_kernels(simd::active_level()));
    const auto* const begin = static_cast<const std::uint8_t*>(info.ptr);
    // Arrow counts the bytes of a string array in 31 bits, and those of a large one in 63.
    return bytes <= 0x7FFFFFFF ? read_texts<std::int32_t>(begin, first, last, bytes, reader)
                               : read_texts<std::int64_t>(begin, first, last, bytes, reader);
}

}  // namespace

void bind_json(py::module_& module) {
    module.attr("JSON_TEXT") = static_cast<int>(json::LineKind::text);
    module.attr("JSON_NULL") = static_cast<int>(json::LineKind::null);
    module.attr("JSON_LOOK_AGAIN") = static_cast<int>(json::LineKind::look_again);
    module.def("json_texts", &json_texts, py::arg("data"), py::arg("starts"), py::arg("ends"),
               py::arg("field"), "The text field of lines that are JSON objects.");
}

}  // namespace dsir::bindings
