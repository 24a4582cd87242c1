#include <algorithm>
#include <cmath>
#include <optional>

#include "bindings/python.hpp"
#include "gais/judges/judges.hpp"

namespace dsir::bindings {
namespace {

bool all_within(const std::int32_t* values, std::int64_t size, std::int64_t end) {
    return std::all_of(values, values + size,
                       [end](std::int32_t value) { return value >= 0 && value < end; });
}

py::tuple judge_candidates(const Array<float>& rows, const Array<std::int32_t>& labels,
                           const Array<std::int32_t>& members, const Array<std::int64_t>& offsets,
                           const Array<std::int32_t>& asked,
                           const std::optional<Array<std::int32_t>>& weights, std::int32_t classes,
                           std::int64_t trees, std::int64_t steps, std::uint64_t seed,
                           unsigned threads) {
    require(rows.ndim() == 2 && rows.shape(0) < 0x7FFFFFFF, "the rows must be two-dimensional");
    const std::int64_t size = rows.shape(0);
    require(std::all_of(rows.data(), rows.data() + rows.size(),
                        [](float value) { return std::isfinite(value); }),
            "the rows must be finite");
    require(classes >= 1 && labels.ndim() == 1 && labels.size() == size &&
                all_within(labels.data(), labels.size(), classes),
            "labels must have one entry per row, from 0 to classes - 1");
    require(members.ndim() == 1 && offsets.ndim() == 1 && offsets.size() >= 1 &&
                offsets.data()[0] == 0 && offsets.data()[offsets.size() - 1] == members.size(),
            "offsets must ascend from 0 to the number of members");
    const std::int64_t candidates = offsets.size() - 1;
    for (std::int64_t c = 0; c < candidates; ++c) {
        require(offsets.data()[c] < offsets.data()[c + 1], "a candidate has no rows");
    }
    require(asked.ndim() == 1 && all_within(members.data(), members.size(), size) &&
                all_within(asked.data(), asked.size(), size),
            "a row is out of range");
    require(!weights || (weights->ndim() == 1 && weights->size() == members.size() &&
                         std::all_of(weights->data(), weights->data() + weights->size(),
                                     [](std::int32_t weight) { return weight >= 1; })),
            "weights must have one entry per member, of at least 1");
    require(trees >= 1 && steps >= 1 && threads >= 1,
            "trees, steps and threads must be at least 1");
    const gais::judges::LabelledRows table{
        {size, rows.shape(1), rows.data()}, labels.data(), classes};
    const gais::judges::Candidates given{members.data(), weights ? weights->data() : nullptr,
                                         offsets.data(), candidates};
    gais::judges::Verdicts found;
    {
        const py::gil_scoped_release release;
        found = gais::judges::judge_candidates(table, given, {asked.data(), asked.size()},
                                               {trees, seed}, steps, threads);
    }
    constexpr std::int64_t kJudges = gais::judges::kJudges;
    return py::make_tuple(
        to_numpy(std::move(found.tallies))
            .reshape({candidates, kJudges, std::int64_t{classes}, std::int64_t{3}}),
        to_numpy(std::move(found.log_loss)).reshape({candidates, kJudges}));
}

}  // namespace

void bind_judges(py::module_& module) {
    module.def("judge_candidates", &judge_candidates, py::arg("rows").noconvert(),
               py::arg("labels").noconvert(), py::arg("members").noconvert(),
               py::arg("offsets").noconvert(), py::arg("asked").noconvert(), py::kw_only(),
               py::arg("weights").noconvert() = py::none(), py::arg("classes"), py::arg("trees"),
               py::arg("steps"), py::arg("seed"), py::arg("threads") = 1);
}

}  // namespace dsir::bindings
