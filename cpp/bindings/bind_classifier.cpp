#include <algorithm>
#include <cmath>

#include "bindings/held_part.hpp"
#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "bindings/watching.hpp"
#include "classifier/linear_table.hpp"
#include "classifier/logistic.hpp"
#include "classifier/platt.hpp"

namespace dsir::bindings {
namespace {

using classifier::Line;
using classifier::LinearTable;
using Offsets = Array<std::int64_t>;
using Terms = Array<classifier::Term>;
using Lines = std::vector<std::pair<double, double>>;

py::tuple term_lists(const py::object& array, const ngram::FeatureSpec& spec,
                     const Array<std::int64_t>& positions, std::uint64_t most, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(positions.ndim() == 1, "positions must be one-dimensional");
    require(threads >= 1 && most >= 1, "threads and most must be at least 1");
    const std::span<const std::int64_t> wanted(positions.data(),
                                               static_cast<std::size_t>(positions.size()));
    for (const std::int64_t position : wanted) {
        require(position >= 0 && position < column.size(), "a position is outside the column");
    }
    classifier::TermLists lists;
    {
        const py::gil_scoped_release release;
        lists = classifier::term_lists(column, spec, wanted, most, threads);
    }
    return py::make_tuple(to_numpy(std::move(lists.offsets)), to_numpy(std::move(lists.terms)));
}

/// Checks that the offsets cover the terms, and that the terms of each document ascend, have a
/// count and a bucket below `buckets`.
classifier::TermListsView checked_lists(const Offsets& offsets, const Terms& terms,
                                        std::size_t buckets) {
    require(offsets.ndim() == 1 && offsets.size() >= 1 && terms.ndim() == 1 &&
                offsets.data()[0] == 0 &&
                std::is_sorted(offsets.data(), offsets.data() + offsets.size()) &&
                offsets.data()[offsets.size() - 1] == terms.size(),
            "offsets must ascend from 0 to the number of terms");
    const classifier::TermListsView lists{
        {offsets.data(), static_cast<std::size_t>(offsets.size())},
        {terms.data(), static_cast<std::size_t>(terms.size())}};
    require(std::all_of(lists.terms.begin(), lists.terms.end(),
                        [buckets](classifier::Term term) {
                            return classifier::count_of(term) > 0 &&
                                   classifier::bucket_of(term) < buckets;
                        }),
            "a term is out of range");
    for (std::size_t d = 0; d < lists.size(); ++d) {
        require(std::is_sorted(lists[d].begin(), lists[d].end()),
                "the terms of a document must ascend");
    }
    return lists;
}

py::array_t<float> train(const Offsets& offsets, const Terms& terms, const Array<float>& importance,
                         std::size_t buckets, unsigned passes, std::size_t batch, float rate,
                         bool graded, unsigned threads) {
    const classifier::TermListsView documents = checked_lists(offsets, terms, buckets);
    require(
        importance.ndim() == 1 && static_cast<std::size_t>(importance.size()) == documents.size(),
        "importance must have one entry per document");
    const std::span<const float> weights(importance.data(), documents.size());
    require(std::all_of(weights.begin(), weights.end(), [](float w) { return std::isfinite(w); }),
            "importance must be finite");
    require(!graded || std::all_of(weights.begin(), weights.end(), [](float w) { return w <= 1; }),
            "grades must be at most 1");
    require(passes >= 1 && batch >= 1 && rate > 0 && threads >= 1,
            "passes, batch, rate and threads must be above 0");
    std::vector<float> found;
    {
        const py::gil_scoped_release release;
        const classifier::Schedule schedule{passes, batch, rate};
        found = graded ? classifier::train_graded(documents, weights, buckets, schedule, threads)
                       : classifier::train(documents, weights, buckets, schedule, threads);
    }
    return to_numpy(std::move(found));
}

LinearTable make_table(const Array<float>& weights) {
    require(weights.ndim() == 2 && weights.shape(0) >= 1 && weights.shape(1) >= 1,
            "weights must have the axes columns and buckets");
    require(std::all_of(weights.data(), weights.data() + weights.size(),
                        [](float w) { return std::abs(w) <= LinearTable::kLargest; }),
            "weights must be at most 100 in magnitude");
    return {weights.data(), static_cast<std::size_t>(weights.shape(0)),
            static_cast<std::size_t>(weights.shape(1))};
}

/// Returns lines that fit a table and a weighing.
std::vector<Line> checked_lines(const LinearTable& table, const ngram::FeatureSpec& spec,
                                const Lines& lines, const ngram::Weighing& weighing) {
    require(table.buckets() == spec.buckets, "the table must have one entry per bucket");
    require(table.columns() == weighing.targets && table.columns() == lines.size(),
            "table, lines and weighing must have the same number of columns");
    std::vector<Line> checked;
    for (const auto& [slope, intercept] : lines) {
        require(std::isfinite(slope) && std::isfinite(intercept), "lines must be finite");
        checked.push_back({slope, intercept});
    }
    return checked;
}

HeldPart part(const py::object& table, const ngram::FeatureSpec& spec, const Lines& lines,
              const ngram::Weighing& weighing) {
    const auto& own = table.cast<const LinearTable&>();
    const auto checked =
        std::make_shared<const std::vector<Line>>(checked_lines(own, spec, lines, weighing));
    const auto kept = std::make_shared<const ngram::Weighing>(weighing);
    return {table, kept, checked, classifier::part_of(spec, own, *checked, *kept)};
}

py::tuple score(const LinearTable& table, const py::object& array, const ngram::FeatureSpec& spec,
                const Lines& lines, const ngram::Weighing& weighing, const Watching* watching,
                unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(threads >= 1, "threads must be at least 1");
    const ngram::TokenWatches* const watches = watches_of(watching, column.size());
    const std::vector<Line> checked = checked_lines(table, spec, lines, weighing);
    const py::ssize_t rows = column.size();
    py::array_t<double> log_weight({static_cast<py::ssize_t>(weighing.columns()), rows});
    py::array_t<std::uint32_t> tokens(rows);
    py::array_t<std::uint32_t> bytes(rows);
    py::array_t<std::uint8_t> status(rows);
    const ngram::ScoreOutput out{log_weight.mutable_data(), tokens.mutable_data(),
                                 bytes.mutable_data(),
                                 reinterpret_cast<text::RowStatus*>(status.mutable_data())};
    {
        const py::gil_scoped_release release;
        classifier::score(column, spec, table, checked, weighing, threads, out, watches);
    }
    return py::make_tuple(log_weight, tokens, bytes, status);
}

py::array_t<double> score_lists(const LinearTable& table, const Offsets& offsets,
                                const Terms& terms, unsigned threads) {
    const classifier::TermListsView lists = checked_lists(offsets, terms, table.buckets());
    require(table.columns() == 1, "the table must have one column");
    require(threads >= 1, "threads must be at least 1");
    py::array_t<double> scores(static_cast<py::ssize_t>(lists.size()));
    double* const out = scores.mutable_data();
    {
        const py::gil_scoped_release release;
        classifier::score_lists(lists, table, threads, out);
    }
    return scores;
}

py::tuple platt(const Array<double>& scores, const Array<std::uint8_t>& wanted) {
    require(scores.ndim() == 1 && wanted.ndim() == 1 && scores.size() == wanted.size(),
            "scores and wanted must be one-dimensional and of equal length");
    const auto size = static_cast<std::size_t>(scores.size());
    const std::span<const double> values(scores.data(), size);
    const std::span<const std::uint8_t> sides(wanted.data(), size);
    require(std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }),
            "scores must be finite");
    const auto yes = std::count_if(sides.begin(), sides.end(), [](auto one) { return one != 0; });
    require(yes > 0 && yes < scores.size(), "neither side may be empty");
    const Line line = classifier::platt(values, sides);
    return py::make_tuple(line.slope, line.intercept);
}

py::tuple platt_graded(const Array<double>& scores, const Array<double>& grades) {
    require(scores.ndim() == 1 && grades.ndim() == 1 && scores.size() == grades.size() &&
                scores.size() > 0,
            "scores and grades must be one-dimensional and of equal length above 0");
    const auto size = static_cast<std::size_t>(scores.size());
    const std::span<const double> values(scores.data(), size);
    const std::span<const double> wanted(grades.data(), size);
    require(std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }),
            "scores must be finite");
    require(std::all_of(wanted.begin(), wanted.end(), [](double g) { return g >= 0 && g <= 1; }),
            "grades must be 0 to 1");
    const Line line = classifier::platt_graded(values, wanted);
    return py::make_tuple(line.slope, line.intercept);
}

}  // namespace

void bind_classifier(py::module_& module) {
    module.attr("LARGEST_LINEAR_WEIGHT") = LinearTable::kLargest;
    module.attr("MOST_TERM_COUNT") = classifier::kMostCount;
    module.def("term_lists", &term_lists, py::arg("array"), py::arg("spec"),
               py::arg("positions").noconvert(), py::kw_only(), py::arg("most"),
               py::arg("threads") = 1, "(offsets, terms) of the rows at the positions.");
    module.def("train_logistic", &train, py::arg("offsets").noconvert(),
               py::arg("terms").noconvert(), py::arg("importance").noconvert(), py::kw_only(),
               py::arg("buckets"), py::arg("passes"), py::arg("batch"), py::arg("rate"),
               py::arg("graded") = false, py::arg("threads") = 1,
               "The weights of a logistic regression.");
    py::class_<LinearTable>(module, "LinearTable")
        .def(py::init(&make_table), py::arg("weights").noconvert())
        .def("score", &score, py::arg("array"), py::arg("spec"), py::arg("lines"),
             py::arg("weighing"), py::kw_only(), py::arg("watching") = py::none(),
             py::arg("threads") = 1, "(log_weight, tokens, bytes, status) of the rows.")
        .def("part", &part, py::arg("spec"), py::arg("lines"), py::arg("weighing"),
             "What score_together takes: score() with all but its texts.")
        .def("score_lists", &score_lists, py::arg("offsets").noconvert(),
             py::arg("terms").noconvert(), py::kw_only(), py::arg("threads") = 1,
             "The scores of lists of terms.");
    module.def("platt", &platt, py::arg("scores").noconvert(), py::arg("wanted").noconvert(),
               "(slope, intercept) of the log-odds by score.");
    module.def("platt_graded", &platt_graded, py::arg("scores").noconvert(),
               py::arg("grades").noconvert(), "The same for grades from 0 to 1.");
}

}  // namespace dsir::bindings
