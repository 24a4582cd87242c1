#include <algorithm>
#include <optional>
#include <utility>

#include "bindings/python.hpp"
#include "sampling/first_seen.hpp"
#include "sampling/quota_search.hpp"

namespace dsir::bindings {
namespace {

using sampling::Documents;
using sampling::FirstSeen;
using sampling::Groups;
using sampling::KeySettings;
using sampling::Quota;
using sampling::QuotaSearch;
using sampling::Rank;

void require_below(const std::uint32_t* codes, py::ssize_t size, std::size_t groups) {
    require(std::all_of(codes, codes + size, [&](std::uint32_t code) { return code < groups; }),
            "a group is out of range");
}

FirstSeen first_seen(std::uint32_t part, std::uint32_t parts, std::size_t expected) {
    require(part < parts, "part must be below parts");
    return {part, parts, expected};
}

void add_hashes(FirstSeen& seen, const Array<std::uint64_t>& hashes,
                const Array<std::uint8_t>& eligible, Array<std::uint8_t>& repeated) {
    require(hashes.ndim() == 1 && eligible.ndim() == 1 && repeated.ndim() == 1 &&
                eligible.size() == hashes.size() && repeated.size() == hashes.size(),
            "hashes, eligible and repeated must be one-dimensional and of equal length");
    std::uint8_t* const out = repeated.mutable_data();
    // The caller's frame holds the arrays.
    const py::gil_scoped_release release;
    seen.add(hashes.data(), eligible.data(), hashes.size(), out);
}

QuotaSearch quota_search(const KeySettings& settings, std::uint64_t budget,
                         const std::vector<std::pair<Array<std::uint64_t>, bool>>& quotas,
                         std::size_t capacity) {
    require(capacity >= 1, "capacity must be at least 1");
    require(!quotas.empty() && quotas.size() <= sampling::kMostQuotas,
            "there must be 1 to 4 columns with quotas");
    std::vector<Quota> columns;
    for (const auto& [room, in_rows] : quotas) {
        require(room.ndim() == 1, "room must be one-dimensional");
        columns.push_back({{room.data(), room.data() + room.size()}, in_rows});
    }
    return {settings, budget, std::move(columns), capacity};
}

void add_documents(QuotaSearch& search, const Array<double>& log_weight,
                   const Array<std::uint8_t>& eligible, std::uint64_t first_row,
                   const Array<std::uint32_t>& groups,
                   const std::optional<Array<std::uint32_t>>& cost, unsigned threads) {
    const py::ssize_t size = log_weight.size();
    require(log_weight.ndim() == 1 && eligible.ndim() == 1 && eligible.size() == size,
            "log_weight and eligible must be one-dimensional and of equal length");
    require(!cost || (cost->ndim() == 1 && cost->size() == size),
            "cost must be as long as log_weight");
    const auto columns = static_cast<py::ssize_t>(search.columns());
    require(groups.ndim() == 2 && groups.shape(0) == columns && groups.shape(1) == size,
            "groups must have the axes columns and documents");
    require(threads >= 1, "threads must be at least 1");
    for (py::ssize_t c = 0; c < columns; ++c) {
        require_below(groups.data() + c * size, size, search.groups(static_cast<std::size_t>(c)));
    }
    const Documents run{log_weight.data(), eligible.data(), cost ? cost->data() : nullptr, size,
                        first_row};
    // The caller's frame holds the arrays, which are only read.
    const py::gil_scoped_release release;
    search.add(run, Groups{groups.data(), size}, threads);
}

/// By group of a column: the closing ranks as two arrays, the documents taken, and the room left.
py::tuple outcome(const QuotaSearch& search, std::size_t column) {
    require(column < search.columns(), "there is no such column");
    std::vector<std::uint64_t> keys;
    std::vector<std::uint64_t> not_rows;
    for (const Rank& rank : search.closing(column)) {
        keys.push_back(rank.key);
        not_rows.push_back(rank.not_row);
    }
    std::vector<std::uint64_t> taken = search.taken(column);
    std::vector<std::uint64_t> room = search.room(column);
    return py::make_tuple(to_numpy(std::move(keys)), to_numpy(std::move(not_rows)),
                          to_numpy(std::move(taken)), to_numpy(std::move(room)));
}

py::array_t<std::uint8_t> open_in(const KeySettings& settings, const Array<std::uint64_t>& keys,
                                  const Array<std::uint64_t>& not_rows,
                                  const Array<double>& log_weight, const Array<std::int64_t>& rows,
                                  const Array<std::uint32_t>& codes) {
    require(keys.ndim() == 1 && not_rows.ndim() == 1 && not_rows.size() == keys.size(),
            "keys and not_rows must be one-dimensional and of equal length");
    require(log_weight.ndim() == 1 && rows.ndim() == 1 && codes.ndim() == 1 &&
                rows.size() == log_weight.size() && codes.size() == log_weight.size(),
            "log_weight, rows and codes must be one-dimensional and of equal length");
    require_below(codes.data(), codes.size(), static_cast<std::size_t>(keys.size()));
    py::array_t<std::uint8_t> open(log_weight.size());
    std::uint8_t* const out = open.mutable_data();
    {
        const py::gil_scoped_release release;
        sampling::mark_open(settings, {keys.data(), not_rows.data()}, log_weight.data(),
                            rows.data(), codes.data(), log_weight.size(), out);
    }
    return open;
}

}  // namespace

void bind_quota(py::module_& module) {
    module.attr("MOST_QUOTAS") = sampling::kMostQuotas;
    py::class_<FirstSeen>(module, "FirstSeen")
        .def(py::init(&first_seen), py::arg("part"), py::arg("parts"), py::arg("expected"))
        .def("add", &add_hashes, py::arg("hashes").noconvert(), py::arg("eligible").noconvert(),
             py::arg("repeated").noconvert())
        .def_property_readonly("size", &FirstSeen::size);
    py::class_<QuotaSearch>(module, "QuotaSearch")
        .def(py::init(&quota_search), py::arg("settings"), py::arg("budget"), py::arg("quotas"),
             py::kw_only(), py::arg("capacity") = QuotaSearch::kDefaultCapacity)
        .def("add", &add_documents, py::arg("log_weight").noconvert(),
             py::arg("eligible").noconvert(), py::arg("first_row"), py::arg("groups").noconvert(),
             py::kw_only(), py::arg("cost").noconvert() = py::none(), py::arg("threads") = 1)
        .def("end_pass", &QuotaSearch::end_pass)
        .def_property_readonly("done", &QuotaSearch::done)
        .def_property_readonly("selected", &QuotaSearch::selected)
        .def_property_readonly("cost", &QuotaSearch::cost)
        .def_property_readonly("next_cost", &QuotaSearch::next_cost)
        .def_property_readonly("threshold", &QuotaSearch::threshold)
        .def_property_readonly("passes", &QuotaSearch::passes)
        .def("outcome", &outcome, py::arg("column"),
             "(key and not_row of the closing ranks, documents taken, room left), by group.");
    module.def("open_in", &open_in, py::arg("settings"), py::arg("keys").noconvert(),
               py::arg("not_rows").noconvert(), py::arg("log_weight").noconvert(),
               py::arg("rows").noconvert(), py::arg("codes").noconvert(),
               "1 for each document whose group is open at its rank.");
}

}  // namespace dsir::bindings
