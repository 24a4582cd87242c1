#include <algorithm>
#include <string>

#include "bindings/group_members.hpp"
#include "bindings/python.hpp"
#include "gais/exchanges/judged_exchanges.hpp"

namespace dsir::bindings {
namespace {

namespace exchanges = gais::exchanges;

exchanges::ExchangeMetric metric_of(const std::string& name) {
    if (name == "accuracy") return exchanges::ExchangeMetric::kAccuracy;
    if (name == "balanced_accuracy") return exchanges::ExchangeMetric::kBalancedAccuracy;
    require(name == "f1_macro", "metric must be accuracy, balanced_accuracy or f1_macro");
    return exchanges::ExchangeMetric::kMacroF1;
}

/// Checks that numbers ascend, each once, from 0 to below `end`.
void check_ascending(const Array<std::int32_t>& numbers, std::int64_t end, const char* message) {
    require(numbers.ndim() == 1, message);
    const std::int32_t* const data = numbers.data();
    const bool ascending = std::adjacent_find(data, data + numbers.size(),
                                              std::greater_equal<>()) == data + numbers.size();
    require(ascending && (numbers.size() == 0 || (data[0] >= 0 && data[numbers.size() - 1] < end)),
            message);
}

py::tuple judged_exchanges(const Array<std::int64_t>& offsets, const Array<std::int32_t>& columns,
                           const Array<float>& values, const Array<std::int32_t>& labels,
                           const Array<std::int32_t>& members, const Array<std::int32_t>& kept,
                           std::int64_t width, std::int32_t classes, std::int64_t tries,
                           std::int32_t most_exchanged, const std::string& metric,
                           std::uint64_t seed) {
    check_cut(columns, offsets, width);
    const std::int64_t rows = offsets.size() - 1;
    require(values.ndim() == 1 && values.size() == columns.size() && labels.ndim() == 1 &&
                labels.size() == rows,
            "values must have one entry per column of a row, and labels one per row");
    require(std::all_of(labels.data(), labels.data() + rows,
                        [&](std::int32_t label) { return label >= 0 && label < classes; }),
            "a label is out of range");
    check_ascending(members, rows, "members must be rows, ascending");
    check_ascending(kept, rows, "kept must be rows, ascending");
    require(kept.size() > 0 && std::includes(members.data(), members.data() + members.size(),
                                             kept.data(), kept.data() + kept.size()),
            "kept must be members, one at least");
    const exchanges::ExchangeSettings settings{tries, most_exchanged, metric_of(metric), seed};
    exchanges::Exchanged found;
    {
        const py::gil_scoped_release release;
        found = exchanges::judged_exchanges(
            {rows, width, offsets.data(), columns.data(), values.data()}, labels.data(), classes,
            {members.data(), static_cast<std::size_t>(members.size())},
            {kept.data(), static_cast<std::size_t>(kept.size())}, settings);
    }
    constexpr py::ssize_t kJudges = exchanges::kJudges;
    Array<std::int64_t> tallies({py::ssize_t{2}, kJudges, py::ssize_t{classes}, py::ssize_t{3}});
    std::int64_t* out = tallies.mutable_data();
    for (const auto& asked : found.tallies) {
        for (const auto& one : asked) {
            *out++ = one.own;
            *out++ = one.given;
            *out++ = one.right;
        }
    }
    return py::make_tuple(to_numpy(std::move(found.kept)), tallies);
}

}  // namespace

void bind_judged_exchanges(py::module_& module) {
    module.def("judged_exchanges", &judged_exchanges, py::arg("offsets").noconvert(),
               py::arg("columns").noconvert(), py::arg("values").noconvert(),
               py::arg("labels").noconvert(), py::arg("members").noconvert(),
               py::arg("kept").noconvert(), py::kw_only(), py::arg("width"), py::arg("classes"),
               py::arg("tries"), py::arg("most_exchanged"), py::arg("metric"), py::arg("seed"));
}

}  // namespace dsir::bindings
