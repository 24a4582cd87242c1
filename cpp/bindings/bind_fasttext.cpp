#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "fasttext/classifier.hpp"
#include "fasttext/scorer.hpp"

namespace dsir::bindings {
namespace {

using fasttext::Classifier;
using fasttext::Dictionary;
using fasttext::Scorer;

/// A model file in a bytes object, which the classifier points into. Create and destroy it with the
/// GIL held.
class FastTextFile {
  public:
    explicit FastTextFile(py::bytes data) : data_(std::move(data)), classifier_(view(data_)) {}
    const Classifier& classifier() const { return classifier_; }
    const Scorer& scorer() const { return classifier_.scorer(); }

  private:
    static std::string_view view(const py::bytes& data) { return data; }

    py::bytes data_;
    Classifier classifier_;
};

py::tuple probabilities(const FastTextFile& file, const py::object& array, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(threads >= 1, "threads must be at least 1");
    const auto labels = static_cast<py::ssize_t>(file.scorer().layer().labels());
    const auto rows = static_cast<py::ssize_t>(column.size());
    py::array_t<float> found({rows, labels});
    py::array_t<std::uint8_t> status(rows);
    float* const found_out = found.mutable_data();
    auto* const status_out = reinterpret_cast<text::RowStatus*>(status.mutable_data());
    {
        // This frame holds the outputs, and the caller's frame holds `file`.
        const py::gil_scoped_release release;
        file.classifier().probabilities(column, threads, found_out, status_out);
    }
    return py::make_tuple(found, status);
}

py::array_t<double> log_odds(const Scorer& scorer, const py::object& array, std::size_t label,
                             unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(threads >= 1, "threads must be at least 1");
    py::array_t<double> found(static_cast<py::ssize_t>(column.size()));
    double* const out = found.mutable_data();
    {
        const py::gil_scoped_release release;
        scorer.log_odds(column, label, threads, out);
    }
    return found;
}

py::list explain(const Scorer& scorer, const py::bytes& text, std::size_t label) {
    const std::string_view view = text;
    py::list found;
    for (const auto& [name, row, contribution] : scorer.explain(view, label)) {
        found.append(py::make_tuple(py::bytes(name), row, contribution));
    }
    return found;
}

py::list labels(const Scorer& scorer) {
    py::list found;
    for (std::size_t label = 0; label < scorer.layer().labels(); ++label) {
        found.append(py::bytes(std::string(scorer.dictionary().label(label))));
    }
    return found;
}

py::dict settings(const Scorer& scorer) {
    const fasttext::Settings& settings = scorer.dictionary().settings();
    py::dict found;
    found["dim"] = settings.dim;
    found["word_ngrams"] = settings.word_ngrams;
    found["loss"] = static_cast<int>(settings.loss);
    found["bucket"] = settings.bucket;
    found["minn"] = settings.minn;
    found["maxn"] = settings.maxn;
    return found;
}

template <class T>
py::array_t<T> copied(const T* values, py::array::ShapeContainer shape) {
    py::array_t<T> array(std::move(shape));
    std::copy_n(values, array.size(), array.mutable_data());
    return array;
}

/// Everything that a scorer is made of, besides its settings.
py::dict arrays(const Scorer& scorer) {
    const Dictionary::Content& content = scorer.dictionary().content();
    const fasttext::Tables& tables = scorer.tables();
    const auto size = [](const auto& values) { return static_cast<py::ssize_t>(values.size()); };
    const auto width = static_cast<py::ssize_t>(tables.width);
    py::dict found;
    found["words"] =
        copied(reinterpret_cast<const std::uint8_t*>(content.bytes.data()), {size(content.bytes)});
    found["word_ends"] = copied(content.ends.data(), {size(content.ends)});
    found["label_counts"] = copied(content.label_counts.data(), {size(content.label_counts)});
    if (content.kept_buckets) {
        py::array_t<std::int32_t> kept({size(*content.kept_buckets), py::ssize_t{2}});
        std::int32_t* out = kept.mutable_data();
        for (const auto& [bucket, row] : *content.kept_buckets) {
            *out++ = bucket;
            *out++ = row;
        }
        found["kept_buckets"] = kept;
    }
    py::array_t<float> table({static_cast<py::ssize_t>(tables.rows), width});
    float* const out = table.mutable_data();
    for (py::ssize_t at = 0; at < table.size(); ++at) {
        out[at] = fasttext::float_at(tables.entries(), static_cast<std::size_t>(at));
    }
    found["table"] = table;
    if (!tables.folded()) {
        found["output"] = copied(tables.output.data(), {size(tables.output) / width, width});
    }
    return found;
}

std::vector<float> finite(const Array<float>& values) {
    require(values.ndim() == 2, "a table must have two dimensions");
    const float* const end = values.data() + values.size();
    require(std::all_of(values.data(), end, [](float value) { return std::isfinite(value); }),
            "a number in a table is not finite");
    return {values.data(), end};
}

std::unique_ptr<Scorer> scorer_of(const Array<std::uint8_t>& words,
                                  const Array<std::uint64_t>& word_ends,
                                  const Array<std::int64_t>& label_counts,
                                  const std::optional<Array<std::int32_t>>& kept_buckets,
                                  const Array<float>& table,
                                  const std::optional<Array<float>>& output, std::int32_t dim,
                                  std::int32_t word_ngrams, std::int32_t loss, std::int32_t bucket,
                                  std::int32_t minn, std::int32_t maxn) {
    require(words.ndim() == 1 && word_ends.ndim() == 1 && label_counts.ndim() == 1,
            "words, word_ends and label_counts must be one-dimensional");
    Dictionary::Content content;
    content.bytes.assign(reinterpret_cast<const char*>(words.data()),
                         static_cast<std::size_t>(words.size()));
    content.ends.assign(word_ends.data(), word_ends.data() + word_ends.size());
    content.label_counts.assign(label_counts.data(), label_counts.data() + label_counts.size());
    if (kept_buckets) {
        require(kept_buckets->ndim() == 2 && kept_buckets->shape(1) == 2,
                "kept_buckets must have two columns");
        auto& kept = content.kept_buckets.emplace();
        for (py::ssize_t k = 0; k < kept_buckets->shape(0); ++k) {
            kept.emplace_back(kept_buckets->at(k, 0), kept_buckets->at(k, 1));
        }
    }
    fasttext::Tables tables;
    tables.owned = finite(table);
    tables.rows = static_cast<std::size_t>(table.shape(0));
    tables.width = static_cast<std::size_t>(table.shape(1));
    if (output) {
        require(output->ndim() == 2 && output->shape(1) == table.shape(1) && output->size() > 0,
                "output and table must have the same columns");
        tables.output = finite(*output);
    }
    const fasttext::Settings settings{dim,    word_ngrams, static_cast<fasttext::Loss>(loss),
                                      bucket, minn,        maxn};
    return std::make_unique<Scorer>(Dictionary(settings, std::move(content)), std::move(tables));
}

}  // namespace

void bind_fasttext(py::module_& module) {
    py::class_<Scorer>(module, "FastTextScorer")
        .def(py::init(&scorer_of), py::kw_only(), py::arg("words").noconvert(),
             py::arg("word_ends").noconvert(), py::arg("label_counts").noconvert(),
             py::arg("kept_buckets").noconvert() = py::none(), py::arg("table").noconvert(),
             py::arg("output").noconvert() = py::none(), py::arg("dim"), py::arg("word_ngrams"),
             py::arg("loss"), py::arg("bucket"), py::arg("minn"), py::arg("maxn"))
        .def_property_readonly("labels", &labels)
        .def_property_readonly("settings", &settings)
        .def("arrays", &arrays, "What the scorer is made of, besides its settings.")
        .def("log_odds", &log_odds, py::arg("array"), py::arg("label"), py::kw_only(),
             py::arg("threads") = 1, "Log-odds of a label for each text.")
        .def("explain", &explain, py::arg("text"), py::arg("label"),
             "(name, row, contribution) of each feature of a text.");
    py::class_<FastTextFile>(module, "FastTextFile")
        .def(py::init<py::bytes>(), py::arg("data"))
        .def_property_readonly("scorer", &FastTextFile::scorer,
                               py::return_value_policy::reference_internal)
        .def("probabilities", &probabilities, py::arg("array"), py::kw_only(),
             py::arg("threads") = 1, "(float32[rows, labels], status of each row).");
}

}  // namespace dsir::bindings
