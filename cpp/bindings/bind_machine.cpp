#include "bindings/python.hpp"
#include "simd/cpu.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace dsir::bindings {

namespace {

/// Gives memory that was freed back to the system. glibc keeps it, also where objects that lie
/// between free blocks are the only ones in use.
void release_free_memory() {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

}  // namespace

void bind_machine(py::module_& module) {
    module.def(
        "simd_level", [] { return simd::name_of(simd::active_level()); },
        "Width of the kernels in use: 'scalar', 'neon', 'avx2' or 'avx512'.");
    module.def(
        "has_sha256_instructions", [] { return simd::has_sha256_instructions(); },
        "Whether SHA-256 uses the CPU's instructions for it.");
    module.def("release_free_memory", &release_free_memory,
               "Gives memory that was freed back to the system, where the C library can.");
}

}  // namespace dsir::bindings
