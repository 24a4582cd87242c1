#pragma once

// The only place that configures and includes pybind11. Every binding converts and validates its
// arguments, releases the GIL, computes, and wraps the result, in that order.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dsir::bindings {

namespace py = pybind11;

/// An argument that must already be a contiguous array of this type, so that there is no hidden
/// copy.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

/// Turns a vector into a numpy array without copying. The array owns the memory.
template <class T>
py::array_t<T> to_numpy(std::vector<T>&& values) {
    auto owned = std::make_unique<std::vector<T>>(std::move(values));
    T* const data = owned->data();
    const std::size_t size = owned->size();
    py::capsule owner(owned.get(), [](void* at) { delete static_cast<std::vector<T>*>(at); });
    owned.release();
    return py::array_t<T>(static_cast<py::ssize_t>(size), data, owner);
}

inline void require(bool condition, const std::string& message) {
    if (!condition) throw std::invalid_argument(message);
}

void bind_text(py::module_& module);
void bind_hashing(py::module_& module);
void bind_ngram(py::module_& module);
void bind_sampling(py::module_& module);
void bind_quota(py::module_& module);
void bind_chunk(py::module_& module);
void bind_quality(py::module_& module);
void bind_contamination(py::module_& module);
void bind_minhash(py::module_& module);
void bind_bootstrap(py::module_& module);
void bind_coverage(py::module_& module);
void bind_classifier(py::module_& module);
void bind_fasttext(py::module_& module);
void bind_language_model(py::module_& module);
void bind_lexrank(py::module_& module);
void bind_attention(py::module_& module);
void bind_gais(py::module_& module);
void bind_column_coverage(py::module_& module);
void bind_judged_exchanges(py::module_& module);
void bind_judges(py::module_& module);
void bind_terms(py::module_& module);
void bind_json(py::module_& module);
void bind_machine(py::module_& module);
void bind_parquet(py::module_& module);

}  // namespace dsir::bindings
