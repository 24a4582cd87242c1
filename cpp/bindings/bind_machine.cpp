#include "bindings/python.hpp"
#include "simd/cpu.hpp"

namespace dsir::bindings {

void bind_machine(py::module_& module) {
    module.def(
        "simd_level", [] { return simd::name_of(simd::active_level()); },
        "Width of the kernels in use: 'scalar', 'neon', 'avx2' or 'avx512'.");
    module.def(
        "has_sha256_instructions", [] { return simd::has_sha256_instructions(); },
        "Whether SHA-256 uses the CPU's instructions for it.");
}

}  // namespace dsir::bindings
