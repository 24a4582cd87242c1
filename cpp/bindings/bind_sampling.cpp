#include <cmath>
#include <optional>

#include "bindings/python.hpp"
#include "sampling/rising_bar.hpp"
#include "sampling/threshold_guess.hpp"
#include "sampling/threshold_search.hpp"

namespace dsir::bindings {
namespace {

using sampling::Documents;
using sampling::KeySettings;
using sampling::Rank;
using sampling::RisingBar;
using sampling::ThresholdGuess;
using sampling::ThresholdSearch;

KeySettings key_settings(std::uint64_t seed, std::uint32_t target, double temperature, bool noise) {
    require(std::isfinite(temperature) && temperature > 0, "temperature must be above 0");
    return {seed, target, temperature, noise};
}

ThresholdSearch threshold_search(const KeySettings& settings, std::uint64_t budget,
                                 std::size_t capacity) {
    require(capacity >= 1, "capacity must be at least 1");
    return {settings, budget, capacity};
}

/// Checks that the arrays have one length. The caller has checked that no log-weight is NaN.
Documents documents(const Array<double>& log_weight,
                    const std::optional<Array<std::uint8_t>>& eligible,
                    const std::optional<Array<std::uint32_t>>& cost, std::uint64_t first_row) {
    require(log_weight.ndim() == 1 &&
                (!eligible || (eligible->ndim() == 1 && eligible->size() == log_weight.size())),
            "log_weight and eligible must be one-dimensional and of equal length");
    require(!cost || (cost->ndim() == 1 && cost->size() == log_weight.size()),
            "cost must be as long as log_weight");
    return {log_weight.data(), eligible ? eligible->data() : nullptr, cost ? cost->data() : nullptr,
            log_weight.size(), first_row};
}

void add(ThresholdSearch& search, const Array<double>& log_weight,
         const std::optional<Array<std::uint8_t>>& eligible, std::uint64_t first_row,
         const std::optional<Array<std::uint32_t>>& cost, unsigned threads) {
    require(threads >= 1, "threads must be at least 1");
    const Documents run = documents(log_weight, eligible, cost, first_row);
    // The caller's frame holds the arrays, which are only read.
    const py::gil_scoped_release release;
    search.add(run, threads);
}

void guess_from(ThresholdGuess& guess, const Array<double>& log_weight,
                const std::optional<Array<std::uint8_t>>& eligible, std::uint64_t first_row,
                const std::optional<Array<std::uint32_t>>& cost) {
    const Documents run = documents(log_weight, eligible, cost, first_row);
    const py::gil_scoped_release release;
    guess.add(run);
}

py::array_t<std::int64_t> pass_bar(RisingBar& bar, const Array<double>& log_weight,
                                   const std::optional<Array<std::uint8_t>>& eligible,
                                   std::optional<std::uint64_t> first_row,
                                   const std::optional<Array<std::uint32_t>>& cost) {
    const Documents run = documents(log_weight, eligible, cost, first_row.value_or(0));
    std::vector<std::int64_t> positions;
    {
        // The caller's frame holds the arrays, which are only read. The bar has a lock of its own.
        const py::gil_scoped_release release;
        positions = first_row ? bar.add(run) : bar.add_unnumbered(run);
    }
    return to_numpy(std::move(positions));
}

py::tuple seen_by(const RisingBar& bar) {
    RisingBar::Seen seen;
    {
        const py::gil_scoped_release release;
        seen = bar.seen();
    }
    return py::make_tuple(seen.first_bin, to_numpy(std::move(seen.costs)));
}

void add_seen(RisingBar& bar, std::size_t first_bin, const Array<std::uint64_t>& costs) {
    require(costs.ndim() == 1, "costs must have one dimension");
    const RisingBar::Seen more{first_bin, {costs.data(), costs.data() + costs.size()}};
    const py::gil_scoped_release release;
    bar.add_seen(more);
}

py::array_t<std::int64_t> selected_positions(const KeySettings& settings, const Rank& threshold,
                                             const Array<double>& log_weight,
                                             const std::optional<Array<std::uint8_t>>& eligible,
                                             std::uint64_t first_row, unsigned threads) {
    require(threads >= 1, "threads must be at least 1");
    const Documents run = documents(log_weight, eligible, std::nullopt, first_row);
    std::vector<std::int64_t> positions;
    {
        const py::gil_scoped_release release;
        positions = sampling::selected_positions(settings, threshold, run, threads);
    }
    return to_numpy(std::move(positions));
}

py::array_t<double> keys(const KeySettings& settings, const Array<double>& log_weight,
                         std::uint64_t first_row) {
    require(log_weight.ndim() == 1, "log_weight must be one-dimensional");
    std::vector<double> out(static_cast<std::size_t>(log_weight.size()));
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = sampling::key_of(settings, log_weight.data()[i], first_row + i);
    }
    return to_numpy(std::move(out));
}

py::array_t<double> keys_of_rows(const KeySettings& settings, const Array<double>& log_weight,
                                 const Array<std::int64_t>& rows) {
    require(log_weight.ndim() == 1 && rows.ndim() == 1 && rows.size() == log_weight.size(),
            "log_weight and rows must be one-dimensional and of equal length");
    std::vector<double> out(static_cast<std::size_t>(rows.size()));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto row = static_cast<std::uint64_t>(rows.data()[i]);
        out[i] = sampling::key_of(settings, log_weight.data()[i], row);
    }
    return to_numpy(std::move(out));
}

}  // namespace

void bind_sampling(py::module_& module) {
    py::class_<KeySettings>(module, "KeySettings")
        .def(py::init(&key_settings), py::kw_only(), py::arg("seed"), py::arg("target") = 0,
             py::arg("temperature") = 1.0, py::arg("noise") = true);
    py::class_<Rank>(module, "Rank")
        .def(py::init<std::uint64_t, std::uint64_t>(), py::arg("key"), py::arg("not_row"))
        .def_readonly("key", &Rank::key)
        .def_readonly("not_row", &Rank::not_row);
    py::class_<sampling::Bracket>(module, "Bracket")
        .def(py::init<std::uint64_t, std::uint64_t>(), py::arg("least"), py::arg("above"))
        .def_readonly("least", &sampling::Bracket::least)
        .def_readonly("above", &sampling::Bracket::above);
    py::class_<ThresholdGuess>(module, "ThresholdGuess")
        .def(py::init<const KeySettings&, std::uint64_t, std::uint64_t>(), py::arg("settings"),
             py::arg("budget"), py::arg("rows"))
        .def("add", &guess_from, py::arg("log_weight").noconvert(), py::arg("eligible").noconvert(),
             py::arg("first_row"), py::kw_only(), py::arg("cost").noconvert() = py::none())
        .def("bracket", &ThresholdGuess::bracket);
    py::class_<ThresholdSearch>(module, "ThresholdSearch")
        .def(py::init(&threshold_search), py::arg("settings"), py::arg("budget"), py::kw_only(),
             py::arg("capacity") = ThresholdSearch::kDefaultCapacity)
        .def("add", &add, py::arg("log_weight").noconvert(), py::arg("eligible").noconvert(),
             py::arg("first_row"), py::kw_only(), py::arg("cost").noconvert() = py::none(),
             py::arg("threads") = 1)
        .def("expect", &ThresholdSearch::expect, py::arg("bracket"))
        .def("end_pass", &ThresholdSearch::end_pass)
        .def_property_readonly("done", &ThresholdSearch::done)
        .def_property_readonly("selected", &ThresholdSearch::selected)
        .def_property_readonly("cost", &ThresholdSearch::cost)
        .def_property_readonly("next_cost", &ThresholdSearch::next_cost)
        .def_property_readonly("threshold", &ThresholdSearch::threshold)
        .def_property_readonly("passes", &ThresholdSearch::passes);
    py::class_<RisingBar>(module, "RisingBar")
        .def(py::init<const KeySettings&, std::uint64_t>(), py::arg("settings"), py::arg("budget"))
        .def("add", &pass_bar, py::arg("log_weight").noconvert(), py::arg("eligible").noconvert(),
             py::arg("first_row"), py::kw_only(), py::arg("cost").noconvert() = py::none())
        .def("seen", &seen_by)
        .def("add_seen", &add_seen, py::arg("first_bin"), py::arg("costs").noconvert());
    module.def("selected_positions", &selected_positions, py::arg("settings"), py::arg("threshold"),
               py::arg("log_weight").noconvert(), py::arg("eligible").noconvert(),
               py::arg("first_row"), py::kw_only(), py::arg("threads") = 1,
               "Positions in the run of the documents at or above it.");
    module.def("keys", &keys, py::arg("settings"), py::arg("log_weight").noconvert(),
               py::arg("first_row"), "The keys by which documents are selected.");
    module.def("keys_of_rows", &keys_of_rows, py::arg("settings"),
               py::arg("log_weight").noconvert(), py::arg("rows").noconvert(),
               "The same for documents given by their rows.");
    module.def("philox4x32", &numeric::philox4x32, py::arg("counter"), py::arg("key"),
               "Philox 4x32-10 of a counter of four words under a key of two.");
}

}  // namespace dsir::bindings
