#include <algorithm>
#include <cmath>
#include <limits>

#include "bindings/python.hpp"
#include "language_model/kneser_ney.hpp"

namespace dsir::bindings {
namespace {

using language_model::Documents;
using language_model::KneserNey;

/// Checks that the offsets ascend within the tokens, and that the tokens are in range.
Documents checked_documents(const Array<std::int64_t>& offsets,
                            const Array<std::uint32_t>& tokens) {
    require(offsets.ndim() == 1 && offsets.size() >= 1 && tokens.ndim() == 1,
            "offsets and tokens must be one-dimensional, with at least one offset");
    const Documents documents{{offsets.data(), static_cast<std::size_t>(offsets.size())},
                              {tokens.data(), static_cast<std::size_t>(tokens.size())}};
    require(documents.offsets.front() >= 0 &&
                std::is_sorted(documents.offsets.begin(), documents.offsets.end()) &&
                documents.offsets.back() <= tokens.size(),
            "offsets must ascend from 0 to at most the number of tokens");
    require(documents.offsets.back() <= std::numeric_limits<std::uint32_t>::max(),
            "there must be fewer than 2^32 tokens");
    const auto outside = [](std::uint32_t token) { return token >= language_model::kTokens; };
    require(std::none_of(documents.tokens.begin(), documents.tokens.end(), outside),
            "a token is out of range");
    return documents;
}

KneserNey train(const Array<std::int64_t>& offsets, const Array<std::uint32_t>& tokens,
                double vocabulary, unsigned threads) {
    const Documents documents = checked_documents(offsets, tokens);
    require(std::isfinite(vocabulary) && vocabulary >= 1, "vocabulary must be at least 1");
    require(threads >= 1, "threads must be at least 1");
    const py::gil_scoped_release release;
    return {documents, vocabulary, threads};
}

py::array_t<double> log_probabilities(const KneserNey& model, const Array<std::int64_t>& offsets,
                                      const Array<std::uint32_t>& tokens, unsigned threads) {
    const Documents documents = checked_documents(offsets, tokens);
    require(threads >= 1, "threads must be at least 1");
    py::array_t<double> sums(static_cast<py::ssize_t>(documents.size()));
    double* const out = sums.mutable_data();
    {
        const py::gil_scoped_release release;
        model.log_probabilities(documents, threads, out);
    }
    return sums;
}

}  // namespace

void bind_language_model(py::module_& module) {
    py::class_<KneserNey>(module, "KneserNey")
        .def(py::init(&train), py::arg("offsets").noconvert(), py::arg("tokens").noconvert(),
             py::kw_only(), py::arg("vocabulary"), py::arg("threads") = 1)
        .def("log_probabilities", &log_probabilities, py::arg("offsets").noconvert(),
             py::arg("tokens").noconvert(), py::kw_only(), py::arg("threads") = 1,
             "Natural logarithm of each document's probability.")
        .def_property_readonly("trigrams", &KneserNey::trigrams)
        .def_property_readonly("distinct_trigrams", &KneserNey::distinct_trigrams);
}

}  // namespace dsir::bindings
