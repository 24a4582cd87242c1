#include <algorithm>

#include "bindings/group_members.hpp"
#include "bindings/python.hpp"
#include "gais/column_coverage.hpp"

namespace dsir::bindings {
namespace {

py::array_t<std::int32_t> column_coverage(const Array<std::int64_t>& offsets,
                                          const Array<std::int32_t>& columns,
                                          const Array<std::int32_t>& labels,
                                          const Array<std::int32_t>& priority,
                                          const std::vector<std::int64_t>& wanted,
                                          std::int64_t width, unsigned threads) {
    check_cut(columns, offsets, width);
    const std::int64_t rows = offsets.size() - 1;
    require(labels.ndim() == 1 && labels.size() == rows && priority.ndim() == 1 &&
                priority.size() == rows,
            "labels and priority must have one entry per row");
    const auto classes = static_cast<std::int64_t>(wanted.size());
    require(std::all_of(labels.data(), labels.data() + rows,
                        [&](std::int32_t label) { return label >= 0 && label < classes; }),
            "a label is out of range");
    std::vector<std::int32_t> chosen;
    {
        const py::gil_scoped_release release;
        chosen = gais::column_coverage({rows, width, offsets.data(), columns.data()}, labels.data(),
                                       priority.data(), wanted, threads);
    }
    return to_numpy(std::move(chosen));
}

}  // namespace

void bind_column_coverage(py::module_& module) {
    module.def("column_coverage", &column_coverage, py::arg("offsets").noconvert(),
               py::arg("columns").noconvert(), py::arg("labels").noconvert(),
               py::arg("priority").noconvert(), py::arg("wanted"), py::kw_only(), py::arg("width"),
               py::arg("threads") = 1);
}

}  // namespace dsir::bindings
