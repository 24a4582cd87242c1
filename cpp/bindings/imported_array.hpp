#pragma once

#include "arrow/text_column.hpp"
#include "bindings/python.hpp"

namespace dsir::bindings {

/// An Arrow array borrowed from any Python object with __arrow_c_array__ (the PyCapsule protocol).
/// Keeps the capsules alive, and with them the memory. Create and destroy it with the GIL held.
class ImportedArray {
  public:
    explicit ImportedArray(const py::object& array) {
        require(py::hasattr(array, "__arrow_c_array__"),
                "expected an Arrow array (with __arrow_c_array__)");
        capsules_ = array.attr("__arrow_c_array__")();
        require(capsules_.size() == 2, "__arrow_c_array__ must return two capsules");
    }

    /// A view of the array's text, valid as long as this object. Throws arrow::TypeError if the
    /// array is not text.
    arrow::TextColumn text() const {
        return {*static_cast<const ArrowSchema*>(pointer(0, "arrow_schema")),
                *static_cast<const ArrowArray*>(pointer(1, "arrow_array"))};
    }

  private:
    const void* pointer(py::size_t position, const char* name) const {
        void* at = PyCapsule_GetPointer(py::object(capsules_[position]).ptr(), name);
        if (at == nullptr) throw py::error_already_set();
        return at;
    }

    py::tuple capsules_;
};

}  // namespace dsir::bindings
