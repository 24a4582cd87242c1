#include "bindings/python.hpp"
#include "text/lines.hpp"
#include "text/lower.hpp"
#include "text/unicode_tables.hpp"
#include "text/word_tokenize.hpp"
#include "text/wordpunct.hpp"

namespace dsir::bindings {
namespace {

template <class Tokenizer>
std::vector<std::string> tokens_of(std::string_view utf8) {
    std::vector<std::string> tokens;
    text::TokenBuffer buffer;
    Tokenizer tokenizer(utf8, buffer);
    while (tokenizer.next()) {
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    require(tokenizer.valid(), "the text is not UTF-8");
    return tokens;
}

std::string lowered(std::string_view utf8) {
    std::string out(text::lower_room(utf8.size()), '\0');
    const auto length = text::lower(utf8, reinterpret_cast<std::uint8_t*>(out.data()));
    require(length.has_value(), "the text is not UTF-8");
    out.resize(*length);
    return out;
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
                          spans.objects, spans.lines);
}

}  // namespace

void bind_text(py::module_& module) {
    module.attr("UNICODE_VERSION") = text::kUnicodeVersion;
    module.def("wordpunct_tokens", &tokens_of<text::WordPunct>, py::arg("utf8"),
               py::call_guard<py::gil_scoped_release>(), "Lower-cased wordpunct tokens of a text.");
    module.def("word_tokens", &tokens_of<text::WordTokenize>, py::arg("utf8"),
               py::call_guard<py::gil_scoped_release>(),
               "Lower-cased words of a text, taken as one sentence, by NLTK's rules.");
    module.def("lowered", &lowered, py::arg("utf8"), py::call_guard<py::gil_scoped_release>(),
               "The text lower-cased, by the tables of UNICODE_VERSION.");
    module.def("line_spans", &line_spans, py::arg("data"),
               "Starts and ends of the lines that are not blank, whether all are {...}, and how "
               "many lines there are.");
}

}  // namespace dsir::bindings
