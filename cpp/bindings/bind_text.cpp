#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "bindings/tokenizer_kind.hpp"
#include "text/lines.hpp"
#include "text/lower.hpp"
#include "text/normalizer.hpp"
#include "text/row_status.hpp"
#include "text/sentences.hpp"
#include "text/tokenizers.hpp"
#include "unicode/unicode_tables.hpp"

namespace dsir::bindings {
namespace {

/// The names of the tokenizers of whole texts, which users may choose.
py::tuple tokenizer_names() {
    py::list names;
    text::visit_tokenizers([&names](const auto& entry) {
        if (entry.kOfWholeTexts) names.append(py::str(entry.name.data(), entry.name.size()));
    });
    return py::tuple(names);
}

/// The names of those that can leave letters as they are written.
py::tuple tokenizers_as_written() {
    py::list names;
    text::visit_tokenizers([&names]<class Entry>(const Entry& entry) {
        if constexpr (text::kTakesCase<typename Entry::Tokens> ||
                      std::same_as<typename Entry::Tokens, text::WordPunct>) {
            names.append(py::str(entry.name.data(), entry.name.size()));
        }
    });
    return py::tuple(names);
}

std::vector<std::string> tokens_of(std::string_view utf8, const text::Cutting& cutting) {
    std::vector<std::string> tokens;
    text::TokenBuffer buffer;
    text::visit_tokens(cutting, utf8, buffer, [&](auto& tokenizer) {
        while (tokenizer.next()) {
            for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
        }
        require(tokenizer.valid(), "the text is not UTF-8");
    });
    return tokens;
}

template <text::TokenizerKind kKind>
std::vector<std::string> tokens_by_kind(std::string_view utf8) {
    return tokens_of(utf8, {kKind});
}

std::string normalized(std::string_view utf8, const std::string& normalize) {
    require(utf8.size() <= text::kLargestDocument, "the text is longer than 2 GiB");
    require(text::is_utf8(utf8), "the text is not UTF-8");
    text::Normalizer normalizer(form_of(normalize));
    const std::optional<std::string_view> found = normalizer(utf8);
    require(found.has_value(), "the text is longer than 2 GiB in this form");
    return std::string(*found);
}

std::vector<std::string> tokens_by(std::string_view utf8, std::string_view tokenizer,
                                   const std::optional<std::string>& normalize, bool lower,
                                   std::uintptr_t kernel) {
    const std::string in_form = normalize ? normalized(utf8, *normalize) : "";
    if (normalize) utf8 = in_form;
    return tokens_of(utf8, cutting_of(tokenizer, lower, kernel));
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
            "expected a one-dimensional buffer of bytes");
    text::LineSpans spans;
    {
        // `data` keeps the memory alive, and the memory is only read.
        const py::gil_scoped_release release;
        spans = text::line_spans(
            {static_cast<const char*>(info.ptr), static_cast<std::size_t>(info.size)});
    }
    return py::make_tuple(to_numpy(std::move(spans.starts)), to_numpy(std::move(spans.ends)),
                          spans.objects, spans.lines);
}

/// (bytes of all sentences, their offsets, offsets of the rows among the sentences, invalid rows).
py::tuple split_sentences(const py::object& array) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    std::vector<char> bytes;
    std::vector<std::int64_t> ends{0};
    std::vector<std::int64_t> rows{0};
    std::vector<std::int64_t> invalid;
    {
        // `imported` outlives the call.
        const py::gil_scoped_release release;
        for (std::int64_t row = 0; row < column.size(); ++row) {
            const std::string_view document = column[row].value_or("");
            const auto spans = text::sentence_spans(document);
            if (!spans) invalid.push_back(row);
            for (const text::Span span : spans.value_or(std::vector<text::Span>{})) {
                bytes.insert(bytes.end(),
                             document.begin() + static_cast<std::ptrdiff_t>(span.begin),
                             document.begin() + static_cast<std::ptrdiff_t>(span.end));
                ends.push_back(static_cast<std::int64_t>(bytes.size()));
            }
            rows.push_back(static_cast<std::int64_t>(ends.size()) - 1);
        }
    }
    return py::make_tuple(to_numpy(std::move(bytes)), to_numpy(std::move(ends)),
                          to_numpy(std::move(rows)), to_numpy(std::move(invalid)));
}

}  // namespace

void bind_text(py::module_& module) {
    module.attr("UNICODE_VERSION") = unicode::kUnicodeVersion;
    module.attr("TOKENIZERS") = tokenizer_names();
    module.attr("TOKENIZERS_AS_WRITTEN") = tokenizers_as_written();
    module.def(
        "tokens", &tokens_by, py::arg("utf8"), py::arg("tokenizer"),
        py::arg("normalize") = py::none(), py::arg("lower") = true, py::arg("kernel") = 0,
        py::call_guard<py::gil_scoped_release>(),
        "The tokens of a text, by the tokenizer of this name, or by the kernel at an address.");
    module.def("wordpunct_tokens", &tokens_by_kind<text::TokenizerKind::wordpunct>, py::arg("utf8"),
               py::call_guard<py::gil_scoped_release>(), "Lower-cased wordpunct tokens of a text.");
    module.def("word_tokens", &tokens_by_kind<text::TokenizerKind::word_tokenize>, py::arg("utf8"),
               py::call_guard<py::gil_scoped_release>(),
               "Lower-cased words of a text, taken as one sentence, by NLTK's rules.");
    module.def("normalized", &normalized, py::arg("utf8"), py::arg("normalize"),
               py::call_guard<py::gil_scoped_release>(),
               "The text in the normalization form NFC or NFKC, by the tables of UNICODE_VERSION.");
    module.def("lowered", &lowered, py::arg("utf8"), py::call_guard<py::gil_scoped_release>(),
               "The text in lower case, by the tables of UNICODE_VERSION.");
    module.def("split_sentences", &split_sentences, py::arg("array"),
               "The sentences of the rows, by the core's simple rule.");
    module.def("line_spans", &line_spans, py::arg("data"),
               "Starts and ends of the lines that are not blank, whether all are {...}, and how "
               "many lines there are.");
}

}  // namespace dsir::bindings
