#include <cmath>

#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "ngram/kernels.hpp"

namespace dsir::bindings {
namespace {

using ngram::FeatureSpec;
using ngram::LogRatioTable;

ngram::TokenizerKind tokenizer_kind(const std::string& name) {
    if (name == "wordpunct") return ngram::TokenizerKind::wordpunct;
    if (name == "word_tokenize") return ngram::TokenizerKind::word_tokenize;
    require(name == "split", "tokenizer must be 'wordpunct', 'word_tokenize' or 'split'");
    return ngram::TokenizerKind::split;
}

FeatureSpec feature_spec(unsigned n, std::uint32_t buckets, const std::string& hash,
                         const std::string& tokenizer) {
    require(n >= 1 && n <= ngram::kMaxOrder, "n must be 1 to 8");
    require(buckets >= ngram::kMinBuckets && buckets <= ngram::kMaxBuckets,
            "buckets must be 2 to 2^24");
    require(hash == "fast" || hash == "sha256", "hash must be 'fast' or 'sha256'");
    return {n, buckets, hash == "fast" ? ngram::HashKind::fast : ngram::HashKind::sha256,
            tokenizer_kind(tokenizer)};
}

py::tuple count(const py::object& array, const FeatureSpec& spec, Array<std::int64_t>& counts,
                std::int64_t limit, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(counts.ndim() == 1 && counts.size() == static_cast<py::ssize_t>(spec.buckets),
            "counts must have one entry a bucket");
    require(threads >= 1, "threads must be at least 1");
    std::int64_t* const out = counts.mutable_data();
    ngram::CountResult result;
    {
        // `imported` and `counts` outlive the call; no Python object is touched.
        const py::gil_scoped_release release;
        result = ngram::count(column, spec, limit, threads, out);
    }
    return py::make_tuple(result.rows, result.ngrams, to_numpy(std::move(result.invalid_rows)));
}

py::tuple score(const py::object& array, const FeatureSpec& spec, const LogRatioTable& table,
                const std::string& length, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(table.size() == spec.buckets, "the table must have one entry a bucket");
    require(length == "sum" || length == "mean", "length must be 'sum' or 'mean'");
    require(threads >= 1, "threads must be at least 1");
    const auto policy = length == "sum" ? ngram::LengthPolicy::sum : ngram::LengthPolicy::mean;
    const py::ssize_t rows = column.size();
    py::array_t<double> log_weight(rows);
    py::array_t<std::uint32_t> tokens(rows);
    py::array_t<std::uint32_t> bytes(rows);
    py::array_t<std::uint8_t> status(rows);
    const ngram::ScoreOutput out{log_weight.mutable_data(), tokens.mutable_data(),
                                 bytes.mutable_data(),
                                 reinterpret_cast<ngram::RowStatus*>(status.mutable_data())};
    {
        // The outputs are held by this frame and `table` by the caller's; only memory is touched.
        const py::gil_scoped_release release;
        ngram::score(column, spec, table, policy, threads, out);
    }
    return py::make_tuple(log_weight, tokens, bytes, status);
}

LogRatioTable make_table(const Array<double>& log_ratio) {
    require(log_ratio.ndim() == 1, "log_ratio must be flat");
    const double* const values = log_ratio.data();
    for (py::ssize_t b = 0; b < log_ratio.size(); ++b) {
        require(std::isfinite(values[b]) && std::abs(values[b]) < LogRatioTable::kLargest,
                "log_ratio must be finite and below 24 in magnitude");
    }
    return LogRatioTable(values, static_cast<std::size_t>(log_ratio.size()));
}

py::array_t<double> log_ratio(const Array<std::int64_t>& target, const Array<std::int64_t>& raw,
                              double smoothing) {
    require(target.ndim() == 1 && raw.ndim() == 1 && target.size() == raw.size(),
            "the counts must be flat and of one length");
    return to_numpy(ngram::log_ratio(target.data(), raw.data(),
                                     static_cast<std::size_t>(raw.size()), smoothing));
}

std::vector<std::pair<std::string, std::uint32_t>> named_ngrams(std::string_view utf8,
                                                                const FeatureSpec& spec) {
    std::vector<ngram::NamedNgram> named;
    require(ngram::named_ngrams(utf8, spec, named), "the text is not UTF-8");
    std::vector<std::pair<std::string, std::uint32_t>> pairs;
    pairs.reserve(named.size());
    for (auto& one : named) pairs.emplace_back(std::move(one.ngram), one.bucket);
    return pairs;
}

}  // namespace

void bind_ngram(py::module_& module) {
    module.attr("MAX_ORDER") = ngram::kMaxOrder;
    module.attr("INVALID_UTF8") = static_cast<int>(ngram::RowStatus::invalid_utf8);
    module.attr("TOO_LONG") = static_cast<int>(ngram::RowStatus::too_long);
    module.attr("MIN_BUCKETS") = ngram::kMinBuckets;
    module.attr("MAX_BUCKETS") = ngram::kMaxBuckets;
    py::register_exception<arrow::TypeError>(module, "ArrowTypeError", PyExc_TypeError);
    py::class_<FeatureSpec>(module, "FeatureSpec")
        .def(py::init(&feature_spec), py::kw_only(), py::arg("n"), py::arg("buckets"),
             py::arg("hash"), py::arg("tokenizer") = "wordpunct");
    py::class_<LogRatioTable>(module, "LogRatioTable")
        .def(py::init(&make_table), py::arg("log_ratio").noconvert());
    module.def("count", &count, py::arg("array"), py::arg("spec"), py::arg("counts").noconvert(),
               py::kw_only(), py::arg("limit") = -1, py::arg("threads") = 1,
               "Adds the n-grams of the rows to counts; (rows, ngrams, invalid_rows).");
    module.def("score", &score, py::arg("array"), py::arg("spec"), py::arg("table"), py::kw_only(),
               py::arg("length") = "sum", py::arg("threads") = 1,
               "(log_weight, tokens, bytes, status) of the rows.");
    module.def("log_ratio", &log_ratio, py::arg("target").noconvert(), py::arg("raw").noconvert(),
               py::arg("smoothing"), "Log ratio of the two distributions, per bucket.");
    module.def("named_ngrams", &named_ngrams, py::arg("utf8"), py::arg("spec"),
               "(n-gram, bucket) of every n-gram of a text.");
}

}  // namespace dsir::bindings
