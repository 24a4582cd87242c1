#include <algorithm>
#include <cmath>

#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "coverage/bucket_lists.hpp"
#include "coverage/covering.hpp"
#include "coverage/relevance.hpp"

namespace dsir::bindings {
namespace {

using coverage::Covering;
using coverage::LeftOneOut;
using ngram::FeatureSpec;
using ngram::LogRatioTable;

void check_counts(const Array<std::int64_t>& target, const Array<std::int64_t>& raw, double prior) {
    require(target.ndim() == 1 && raw.ndim() == 1 && target.size() == raw.size(),
            "the counts must be one-dimensional and of equal length");
    const auto any = [](const Array<std::int64_t>& counts) {
        const std::int64_t* const end = counts.data() + counts.size();
        return std::find_if(counts.data(), end, [](std::int64_t c) { return c > 0; }) != end;
    };
    require(any(target) && any(raw), "neither side may be all zero");
    require(std::isfinite(prior) && prior > 0, "prior must be above 0");
}

py::array_t<double> relevance(const Array<std::int64_t>& target, const Array<std::int64_t>& raw,
                              double prior) {
    check_counts(target, raw, prior);
    return to_numpy(coverage::relevance(target.data(), raw.data(),
                                        static_cast<std::size_t>(raw.size()), prior));
}

py::array_t<double> raw_shares(const Array<std::int64_t>& raw) {
    check_counts(raw, raw, 1);
    return to_numpy(coverage::raw_shares(raw.data(), static_cast<std::size_t>(raw.size())));
}

LeftOneOut left_one_out(const Array<std::int64_t>& target, const Array<std::int64_t>& raw,
                        double prior) {
    check_counts(target, raw, prior);
    return {target.data(), raw.data(), static_cast<std::size_t>(raw.size()), prior};
}

py::tuple score_left_out(const LeftOneOut& others, const py::object& array, const FeatureSpec& spec,
                         unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(others.buckets() == spec.buckets, "the counts must have one entry per bucket");
    require(threads >= 1, "threads must be at least 1");
    py::array_t<double> found(static_cast<py::ssize_t>(column.size()));
    py::array_t<std::uint32_t> tokens(static_cast<py::ssize_t>(column.size()));
    double* const relevance_out = found.mutable_data();
    std::uint32_t* const tokens_out = tokens.mutable_data();
    {
        // This frame holds the outputs, and the caller's frame holds `others`.
        const py::gil_scoped_release release;
        others.score(column, spec, threads, relevance_out, tokens_out);
    }
    return py::make_tuple(found, tokens);
}

py::tuple bucket_lists(const py::object& array, const FeatureSpec& spec,
                       const Array<std::int64_t>& positions, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(positions.ndim() == 1, "positions must be one-dimensional");
    require(threads >= 1, "threads must be at least 1");
    const std::span<const std::int64_t> wanted(positions.data(),
                                               static_cast<std::size_t>(positions.size()));
    for (const std::int64_t position : wanted) {
        require(position >= 0 && position < column.size(), "a position is outside the column");
    }
    coverage::BucketLists lists;
    {
        const py::gil_scoped_release release;
        lists = coverage::bucket_lists(column, spec, wanted, threads);
    }
    return py::make_tuple(to_numpy(std::move(lists.offsets)), to_numpy(std::move(lists.buckets)));
}

/// Checks that the offsets ascend within the buckets, and the buckets lie below `size`.
coverage::ListsView checked_lists(const Array<std::int64_t>& offsets,
                                  const Array<std::uint32_t>& buckets,
                                  const Array<std::uint8_t>& wanted, std::size_t size) {
    require(offsets.ndim() == 1 && offsets.size() >= 1 && buckets.ndim() == 1,
            "offsets and buckets must be one-dimensional, with at least one offset");
    require(wanted.ndim() == 1 && wanted.size() == offsets.size() - 1,
            "wanted must have one entry per document");
    const coverage::ListsView lists{{offsets.data(), static_cast<std::size_t>(offsets.size())},
                                    {buckets.data(), static_cast<std::size_t>(buckets.size())}};
    require(lists.offsets.front() >= 0 &&
                std::is_sorted(lists.offsets.begin(), lists.offsets.end()) &&
                lists.offsets.back() <= buckets.size(),
            "offsets must ascend from 0 to at most the number of buckets");
    const auto outside = [size](std::uint32_t bucket) { return bucket >= size; };
    require(std::none_of(lists.buckets.begin(), lists.buckets.end(), outside),
            "a bucket is out of range");
    return lists;
}

py::array_t<double> mean_entries(const Array<std::int64_t>& offsets,
                                 const Array<std::uint32_t>& buckets, const LogRatioTable& table,
                                 const Array<std::uint8_t>& wanted, unsigned threads) {
    require(table.targets() == 1, "the table must have one target");
    require(threads >= 1, "threads must be at least 1");
    const coverage::ListsView lists = checked_lists(offsets, buckets, wanted, table.buckets());
    py::array_t<double> gains(static_cast<py::ssize_t>(lists.size()));
    double* const out = gains.mutable_data();
    {
        const py::gil_scoped_release release;
        coverage::mean_entries(lists, table, wanted.data(), threads, out);
    }
    return gains;
}

void add_counts(const Array<std::int64_t>& offsets, const Array<std::uint32_t>& buckets,
                const Array<std::uint8_t>& wanted, Array<std::int64_t>& counts) {
    require(counts.ndim() == 1, "counts must be one-dimensional");
    const coverage::ListsView lists =
        checked_lists(offsets, buckets, wanted, static_cast<std::size_t>(counts.size()));
    std::int64_t* const out = counts.mutable_data();
    const py::gil_scoped_release release;
    coverage::add_counts(lists, wanted.data(), out);
}

Covering covering(const Array<double>& wanted, const Array<double>& smoothing, double largest) {
    require(wanted.ndim() == 1 && smoothing.ndim() == 1 && wanted.size() == smoothing.size(),
            "wanted and smoothing must be one-dimensional and of equal length");
    require(largest > 0 && largest < LogRatioTable::kLargest,
            "largest must be above 0 and below 24");
    const auto size = static_cast<std::size_t>(wanted.size());
    const std::span<const double> shares(wanted.data(), size);
    const std::span<const double> of_raw(smoothing.data(), size);
    require(std::all_of(shares.begin(), shares.end(),
                        [](double one) { return std::isfinite(one) && one >= 0; }) &&
                std::all_of(of_raw.begin(), of_raw.end(),
                            [](double one) { return std::isfinite(one) && one > 0; }),
            "wanted must be finite and at least 0, smoothing finite and above 0");
    return {shares, of_raw, largest};
}

py::array_t<double> mean_gains(Covering& covering, const Array<std::int64_t>& offsets,
                               const Array<std::uint32_t>& buckets,
                               const Array<std::uint8_t>& wanted, unsigned threads) {
    require(threads >= 1, "threads must be at least 1");
    const coverage::ListsView lists = checked_lists(offsets, buckets, wanted, covering.buckets());
    py::array_t<double> means(static_cast<py::ssize_t>(lists.size()));
    double* const out = means.mutable_data();
    {
        // Only one thread works with this object: the rounds of a draw come one after the other.
        const py::gil_scoped_release release;
        covering.mean_gains(lists, wanted.data(), threads, out);
    }
    return means;
}

void add_covered(Covering& covering, const Array<std::int64_t>& offsets,
                 const Array<std::uint32_t>& buckets, const Array<std::uint8_t>& wanted) {
    const coverage::ListsView lists = checked_lists(offsets, buckets, wanted, covering.buckets());
    const py::gil_scoped_release release;
    covering.add(lists, wanted.data());
}

}  // namespace

void bind_coverage(py::module_& module) {
    module.attr("LARGEST_RELEVANCE") = coverage::kLargestRelevance;
    module.def("relevance", &relevance, py::arg("target").noconvert(), py::arg("raw").noconvert(),
               py::arg("prior"), "Relevance of every bucket to the target.");
    module.def("raw_shares", &raw_shares, py::arg("raw").noconvert(),
               "Share of every bucket in raw, with half an n-gram in empty buckets.");
    py::class_<LeftOneOut>(module, "LeftOneOut")
        .def(py::init(&left_one_out), py::arg("target").noconvert(), py::arg("raw").noconvert(),
             py::arg("prior"))
        .def("score", &score_left_out, py::arg("array"), py::arg("spec"), py::kw_only(),
             py::arg("threads") = 1, "(relevance, tokens) of documents of the target.");
    py::class_<Covering>(module, "Covering")
        .def(py::init(&covering), py::arg("wanted").noconvert(), py::arg("smoothing").noconvert(),
             py::kw_only(), py::arg("largest"))
        .def("add", &add_covered, py::arg("offsets").noconvert(), py::arg("buckets").noconvert(),
             py::arg("wanted").noconvert(), "Counts the n-grams of wanted documents as selected.")
        .def(
            "gains", [](const Covering& covering) { return to_numpy(covering.gains()); },
            "What each n-gram pays.")
        .def("mean_gains", &mean_gains, py::arg("offsets").noconvert(),
             py::arg("buckets").noconvert(), py::arg("wanted").noconvert(), py::kw_only(),
             py::arg("threads") = 1, "Mean of what each document's n-grams pay.");
    module.def("bucket_lists", &bucket_lists, py::arg("array"), py::arg("spec"),
               py::arg("positions").noconvert(), py::kw_only(), py::arg("threads") = 1,
               "(offsets, buckets) of the rows at the positions.");
    module.def("mean_entries", &mean_entries, py::arg("offsets").noconvert(),
               py::arg("buckets").noconvert(), py::arg("table"), py::arg("wanted").noconvert(),
               py::kw_only(), py::arg("threads") = 1,
               "Mean of the table's entries over each document's n-grams.");
    module.def("add_counts", &add_counts, py::arg("offsets").noconvert(),
               py::arg("buckets").noconvert(), py::arg("wanted").noconvert(),
               py::arg("counts").noconvert(), "Adds the n-grams of wanted documents to counts.");
}

}  // namespace dsir::bindings
