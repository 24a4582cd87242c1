#include "bindings/python.hpp"
#include "text/lines.hpp"
#include "text/unicode_tables.hpp"
#include "text/wordpunct.hpp"

namespace dsir::bindings {
namespace {

std::vector<std::string> wordpunct_tokens(std::string_view utf8) {
    std::vector<std::string> tokens;
    text::TokenBuffer buffer;
    text::WordPunct tokenizer(utf8, buffer);
    while (tokenizer.next()) {
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    require(tokenizer.valid(), "the text is not UTF-8");
    return tokens;
}

py::tuple line_spans(const py::buffer& data) {
    const py::buffer_info info = data.request();
    require(info.ndim == 1 && info.itemsize == 1 && (info.size <= 1 || info.strides[0] == 1),
            "expected a flat buffer of bytes");
    text::LineSpans spans;
    {
        // `data` keeps the memory alive, and it is only read.
        const py::gil_scoped_release release;
        spans = text::line_spans(
            {static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size)});
    }
    return py::make_tuple(to_numpy(std::move(spans.starts)), to_numpy(std::move(spans.ends)),
                          spans.objects);
}

}  // namespace

void bind_text(py::module_& module) {
    module.attr("UNICODE_VERSION") = text::kUnicodeVersion;
    module.def("wordpunct_tokens", &wordpunct_tokens, py::arg("utf8"),
               py::call_guard<py::gil_scoped_release>(), "Lower-cased wordpunct tokens of a text.");
    module.def("line_spans", &line_spans, py::arg("data"),
               "Starts and ends of the lines that are not blank, and whether all are {...}.");
}

}  // namespace dsir::bindings
