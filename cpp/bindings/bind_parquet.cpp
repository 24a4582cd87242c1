#include "bindings/python.hpp"
#include "parquet/footer.hpp"

namespace dsir::bindings {

void bind_parquet(py::module_& module) {
    module.def("check_parquet_footer", &parquet::check_footer, py::arg("footer"),
               py::arg("data_end"), py::call_guard<py::gil_scoped_release>(),
               "Raises ValueError if a Parquet footer contradicts itself or the file's size.");
}

}  // namespace dsir::bindings
