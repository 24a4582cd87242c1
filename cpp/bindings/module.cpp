#include "bindings/python.hpp"

// A table of contents: one function per topic, each in a file of its own.
PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
    module.doc() = "The C++ core of dsir. Private: use the dsir package.";
    dsir::bindings::bind_text(module);
    dsir::bindings::bind_json(module);
    dsir::bindings::bind_hashing(module);
    dsir::bindings::bind_contamination(module);
    dsir::bindings::bind_minhash(module);
    dsir::bindings::bind_ngram(module);
    dsir::bindings::bind_sampling(module);
    dsir::bindings::bind_quota(module);
    dsir::bindings::bind_chunk(module);
    dsir::bindings::bind_quality(module);
    dsir::bindings::bind_bootstrap(module);
    dsir::bindings::bind_coverage(module);
    dsir::bindings::bind_classifier(module);
    dsir::bindings::bind_fasttext(module);
    dsir::bindings::bind_language_model(module);
    dsir::bindings::bind_lexrank(module);
    dsir::bindings::bind_terms(module);
    dsir::bindings::bind_attention(module);
    dsir::bindings::bind_gais(module);
    dsir::bindings::bind_column_coverage(module);
    dsir::bindings::bind_judged_exchanges(module);
    dsir::bindings::bind_judges(module);
    dsir::bindings::bind_machine(module);
    dsir::bindings::bind_parquet(module);
}
