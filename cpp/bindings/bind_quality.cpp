#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "bindings/tokenizer_kind.hpp"
#include "quality/quality.hpp"

namespace dsir::bindings {
namespace {

using quality::StopWords;
using Column = py::array_t<std::uint32_t>;

py::tuple measure(const py::object& array, const StopWords& stop_words, bool repeated,
                  const std::string& tokenizer, const std::optional<std::string>& normalize,
                  unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    const text::TokenizerKind kind = tokenizer_kind(tokenizer);
    const text::Form form = form_of(normalize);
    require(threads >= 1, "threads must be at least 1");
    const py::ssize_t rows = column.size();
    Column tokens(rows), most_frequent(rows), informative(rows), numbers(rows), characters(rows),
        alphanumeric(rows), in_repeated(repeated ? rows : 0);
    py::array_t<std::uint8_t> status(rows);
    const quality::Measures out{tokens.mutable_data(),
                                most_frequent.mutable_data(),
                                informative.mutable_data(),
                                numbers.mutable_data(),
                                characters.mutable_data(),
                                alphanumeric.mutable_data(),
                                repeated ? in_repeated.mutable_data() : nullptr,
                                reinterpret_cast<text::RowStatus*>(status.mutable_data())};
    {
        // This frame holds the outputs, and the caller's frame holds `stop_words`. Only memory is
        // touched.
        const py::gil_scoped_release release;
        quality::measure(column, kind, form, stop_words, threads, out);
    }
    return py::make_tuple(tokens, most_frequent, informative, numbers, characters, alphanumeric,
                          in_repeated, status);
}

}  // namespace

void bind_quality(py::module_& module) {
    module.attr("REPEATED_ORDER") = quality::kRepeatedOrder;
    py::class_<StopWords>(module, "StopWords")
        .def(py::init<const std::vector<std::string>&>(), py::arg("words"));
    module.def("quality", &measure, py::arg("array"), py::arg("stop_words"), py::kw_only(),
               py::arg("repeated") = false, py::arg("tokenizer") = "wordpunct",
               py::arg("normalize") = py::none(), py::arg("threads") = 1,
               "(tokens, most_frequent, informative, numbers, characters, alphanumeric, repeated, "
               "status) of the rows.");
}

}  // namespace dsir::bindings
