#include <cmath>

#include "bindings/held_part.hpp"
#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "bindings/tokenizer_kind.hpp"
#include "bindings/watching.hpp"
#include "ngram/kernels.hpp"
#include "ngram/scorer_kernel.hpp"

namespace dsir::bindings {
namespace {

using ngram::FeatureSpec;
using ngram::LogRatioTable;
using ngram::Weighing;

FeatureSpec feature_spec(unsigned n, std::uint32_t buckets, const std::string& hash,
                         const std::string& tokenizer, const std::optional<std::string>& normalize,
                         bool lower, std::uintptr_t tokenizer_kernel, std::uintptr_t feature_kernel,
                         std::uint32_t features_per_token) {
    require(n >= 1 && n <= ngram::kMaxOrder, "n must be 1 to 8");
    require(buckets >= ngram::kMinBuckets && buckets <= ngram::kMaxBuckets,
            "buckets must be 2 to 2^24");
    require(hash == "fast" || hash == "sha256", "hash must be 'fast' or 'sha256'");
    require(feature_kernel == 0 || (features_per_token >= 1 && features_per_token <= 256),
            "features_per_token must be 1 to 256");
    return {n,
            buckets,
            hash == "fast" ? ngram::HashKind::fast : ngram::HashKind::sha256,
            cutting_of(tokenizer, lower, tokenizer_kernel),
            form_of(normalize),
            reinterpret_cast<ngram::FeatureKernel>(feature_kernel),
            features_per_token};
}

py::tuple count(const py::object& array, const FeatureSpec& spec, Array<std::int64_t>& counts,
                std::int64_t limit, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(counts.ndim() == 1 && counts.size() == static_cast<py::ssize_t>(spec.buckets),
            "counts must have one entry per bucket");
    require(threads >= 1, "threads must be at least 1");
    std::int64_t* const out = counts.mutable_data();
    ngram::CountResult result;
    {
        // `imported` and `counts` outlive the call. No Python object is touched.
        const py::gil_scoped_release release;
        result = ngram::count(column, spec, limit, threads, out);
    }
    return py::make_tuple(result.rows, result.ngrams, result.documents, result.tokens,
                          to_numpy(std::move(result.invalid_rows)));
}

/// The arrays of a ScoreOutput for `columns` log-weights of each of `rows` rows.
struct Scores {
    Scores(std::size_t columns, py::ssize_t rows)
        : log_weight({static_cast<py::ssize_t>(columns), rows}),
          tokens(rows),
          bytes(rows),
          status(rows),
          out{log_weight.mutable_data(), tokens.mutable_data(), bytes.mutable_data(),
              reinterpret_cast<text::RowStatus*>(status.mutable_data())} {}

    py::tuple to_tuple() const { return py::make_tuple(log_weight, tokens, bytes, status); }

    py::array_t<double> log_weight;
    py::array_t<std::uint32_t> tokens;
    py::array_t<std::uint32_t> bytes;
    py::array_t<std::uint8_t> status;
    ngram::ScoreOutput out;
};

void check_scoring(const FeatureSpec& spec, const LogRatioTable& table, const Weighing& weighing,
                   unsigned threads) {
    require(table.buckets() == spec.buckets, "the table must have one entry per bucket");
    require(table.targets() == weighing.targets,
            "table and weighing must have the same number of targets");
    require(threads >= 1, "threads must be at least 1");
}

py::tuple score(const py::object& array, const FeatureSpec& spec, const LogRatioTable& table,
                const Weighing& weighing, const Watching* watching, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    check_scoring(spec, table, weighing, threads);
    const ngram::TokenWatches* const watches = watches_of(watching, column.size());
    const Scores scores(weighing.columns(), column.size());
    {
        // This frame holds the outputs, and the caller's frame holds all else. Only memory is
        // touched.
        const py::gil_scoped_release release;
        ngram::score(column, spec, table, weighing, threads, scores.out, watches);
    }
    return scores.to_tuple();
}

HeldPart score_part(const FeatureSpec& spec, const py::object& table, const Weighing& weighing) {
    const auto& own = table.cast<const LogRatioTable&>();
    require(own.buckets() == spec.buckets, "the table must have one entry per bucket");
    require(own.targets() == weighing.targets,
            "table and weighing must have the same number of targets");
    const auto kept = std::make_shared<const Weighing>(weighing);
    return {table, kept, nullptr, ngram::part_of(spec, own, *kept)};
}

py::tuple score_together(const py::object& array, const std::vector<const HeldPart*>& held,
                         const Watching* watching, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    const ngram::TokenWatches* const watches = watches_of(watching, column.size());
    require(!held.empty(), "there must be at least one part");
    require(threads >= 1, "threads must be at least 1");
    std::vector<ngram::ScorePart> parts;
    std::vector<py::array_t<double>> log_weights;
    std::vector<ngram::ScoreOutput> outputs;
    Scores shared(0, column.size());
    for (const HeldPart* const one : held) {
        require(one != nullptr, "a part must not be None");
        const FeatureSpec& spec = parts.emplace_back(one->part).spec;
        require(spec.cutting == parts[0].spec.cutting && spec.form == parts[0].spec.form,
                "the parts must have the same tokens");
        auto& weights = log_weights.emplace_back(
            std::vector<py::ssize_t>{static_cast<py::ssize_t>(one->part.columns), column.size()});
        ngram::ScoreOutput& out = outputs.emplace_back(shared.out);
        out.log_weight = weights.mutable_data();
    }
    {
        // As in score(); the caller's frame holds the parts.
        const py::gil_scoped_release release;
        ngram::score_together(column, parts, threads, outputs, watches);
    }
    return py::make_tuple(log_weights, shared.tokens, shared.bytes, shared.status);
}

py::tuple score_by_kernel(const py::object& array, const FeatureSpec& spec, std::uintptr_t kernel,
                          const Array<double>& log_ratio, const Watching* watching,
                          unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    const ngram::TokenWatches* const watches = watches_of(watching, column.size());
    require(kernel != 0, "kernel must be the address of a function");
    require(log_ratio.ndim() == 2 && log_ratio.shape(0) >= 1 &&
                log_ratio.shape(1) == static_cast<py::ssize_t>(spec.buckets),
            "log_ratio must have the axes targets and buckets");
    require(threads >= 1, "threads must be at least 1");
    const auto targets = static_cast<std::size_t>(log_ratio.shape(0));
    const double* const ratios = log_ratio.data();
    const Scores scores(targets, column.size());
    {
        // As in score(); the kernel itself may take the GIL.
        const py::gil_scoped_release release;
        ngram::score_by_kernel(column, spec, reinterpret_cast<ngram::ScorerKernel>(kernel), ratios,
                               targets, threads, scores.out, watches);
    }
    return scores.to_tuple();
}

LogRatioTable make_table(const Array<double>& log_ratio) {
    require(log_ratio.ndim() == 2 && log_ratio.shape(0) >= 1,
            "log_ratio must have the axes targets and buckets");
    const double* const values = log_ratio.data();
    bool fits = true;  // Not NaN either. Without a branch, this is a loop over vectors.
    for (py::ssize_t b = 0; b < log_ratio.size(); ++b) {
        fits &= std::abs(values[b]) < LogRatioTable::kLargest;
    }
    require(fits, "log_ratio must be finite and below 24 in magnitude");
    LogRatioTable table(values, static_cast<std::size_t>(log_ratio.shape(0)),
                        static_cast<std::size_t>(log_ratio.shape(1)));
    table.find_codes();
    return table;
}

Weighing make_weighing(std::size_t targets, double alpha,
                       const std::vector<std::pair<double, double>>& lengths,
                       std::vector<double> shares) {
    require(targets >= 1, "there must be at least one target");
    require(alpha >= 0 && alpha <= 1, "alpha must be 0 to 1");
    require(lengths.empty() || lengths.size() == targets, "lengths must have one pair per target");
    require(shares.empty() || shares.size() == targets, "shares must have one entry per target");
    Weighing weighing{targets, alpha, {}, std::move(shares)};
    for (const auto& [of_target, of_raw] : lengths) {
        require(std::isfinite(of_target) && of_target > 0 && std::isfinite(of_raw) && of_raw > 0,
                "lengths must be above 0");
        weighing.poisson.push_back(ngram::poisson_terms(of_target, of_raw));
    }
    double sum = 0;
    for (const double share : weighing.shares) {
        require(std::isfinite(share) && share >= 0, "shares must be 0 or more");
        sum += share;
    }
    require(weighing.shares.empty() || sum > 0, "at least one share must be above 0");
    return weighing;
}

py::array_t<double> log_ratio(const Array<std::int64_t>& target, const Array<std::int64_t>& raw,
                              double smoothing) {
    require(target.ndim() == 1 && raw.ndim() == 1 && target.size() == raw.size(),
            "the counts must be one-dimensional and of equal length");
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
    module.attr("INVALID_UTF8") = static_cast<int>(text::RowStatus::invalid_utf8);
    module.attr("TOO_LONG") = static_cast<int>(text::RowStatus::too_long);
    module.attr("MIN_BUCKETS") = ngram::kMinBuckets;
    module.attr("MAX_BUCKETS") = ngram::kMaxBuckets;
    py::register_exception<arrow::TypeError>(module, "ArrowTypeError", PyExc_TypeError);
    py::register_local_exception_translator([](std::exception_ptr failure) {
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const text::KernelError& error) {
            // Names of kernels are Python's.
            const py::object made = py::module_::import("dsir.model.own_part")
                                        .attr("kernel_error")(error.address(), error.what());
            PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(made.ptr())), made.ptr());
        }
    });
    py::class_<FeatureSpec>(module, "FeatureSpec")
        .def(py::init(&feature_spec), py::kw_only(), py::arg("n"), py::arg("buckets"),
             py::arg("hash"), py::arg("tokenizer") = "wordpunct", py::arg("normalize") = py::none(),
             py::arg("lower") = true, py::arg("tokenizer_kernel") = 0,
             py::arg("feature_kernel") = 0, py::arg("features_per_token") = 0);
    py::class_<LogRatioTable>(module, "LogRatioTable")
        .def(py::init(&make_table), py::arg("log_ratio").noconvert());
    module.def("count", &count, py::arg("array"), py::arg("spec"), py::arg("counts").noconvert(),
               py::kw_only(), py::arg("limit") = -1, py::arg("threads") = 1,
               "Adds the n-grams of the rows to counts; "
               "(rows, ngrams, documents, tokens, invalid_rows).");
    py::class_<Weighing>(module, "Weighing")
        .def(py::init(&make_weighing), py::kw_only(), py::arg("targets") = 1,
             py::arg("alpha") = 0.0, py::arg("lengths") = py::tuple(),
             py::arg("shares") = py::tuple());
    py::class_<Watching>(module, "Watching")
        .def(py::init<py::ssize_t, const contamination::NgramIndex*, std::uint32_t, bool>(),
             py::arg("rows"), py::kw_only(), py::arg("index") = py::none(), py::arg("most") = 1,
             py::arg("bands") = false, py::keep_alive<1, 3>())
        .def_property_readonly("ngrams", &Watching::ngrams)
        .def_property_readonly("text", &Watching::text)
        .def_property_readonly("keys", &Watching::keys);
    module.def("score", &score, py::arg("array"), py::arg("spec"), py::arg("table"),
               py::arg("weighing"), py::kw_only(), py::arg("watching") = py::none(),
               py::arg("threads") = 1, "(log_weight, tokens, bytes, status) of the rows.");
    py::class_<HeldPart>(module, "ScorePart");
    module.def("score_part", &score_part, py::arg("spec"), py::arg("table"), py::arg("weighing"),
               "What score_together takes: score() with all but its texts.");
    module.def("score_together", &score_together, py::arg("array"), py::arg("parts"), py::kw_only(),
               py::arg("watching") = py::none(), py::arg("threads") = 1,
               "(log_weights of each part, tokens, bytes, status) of the rows.");
    module.def("score_by_kernel", &score_by_kernel, py::arg("array"), py::arg("spec"),
               py::arg("kernel"), py::arg("log_ratio").noconvert(), py::kw_only(),
               py::arg("watching") = py::none(), py::arg("threads") = 1,
               "(log_weight, tokens, bytes, status) of the rows, by the scorer at an address.");
    module.def("log_ratio", &log_ratio, py::arg("target").noconvert(), py::arg("raw").noconvert(),
               py::arg("smoothing"), "Log ratio of the two distributions, per bucket.");
    module.def("named_ngrams", &named_ngrams, py::arg("utf8"), py::arg("spec"),
               "(n-gram, bucket) of every n-gram of a text.");
}

}  // namespace dsir::bindings
