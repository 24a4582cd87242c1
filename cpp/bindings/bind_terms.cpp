#include <algorithm>
#include <numeric>
#include <span>

#include "bindings/imported_array.hpp"
#include "bindings/python.hpp"
#include "lexrank/shared_pairs.hpp"
#include "lexrank/term_counter.hpp"
#include "lexrank/token_numbers.hpp"
#include "numeric/portable_log.hpp"

namespace dsir::bindings {
namespace {

using lexrank::TermCounter;

py::array_t<std::int64_t> add(TermCounter& counter, const py::object& array, unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(threads >= 1, "threads must be at least 1");
    std::vector<std::int64_t> invalid;
    {
        // `imported` outlives the call. The caller uses a counter from one thread at a time.
        const py::gil_scoped_release release;
        invalid = counter.add(column, threads);
    }
    return to_numpy(std::move(invalid));
}

void add_tokens(TermCounter& counter, const py::object& array, const Array<std::int64_t>& offsets,
                unsigned threads) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    require(threads >= 1, "threads must be at least 1");
    require(offsets.ndim() == 1 && offsets.size() >= 1,
            "offsets must have one entry more than there are units");
    const std::vector<std::int64_t> of(offsets.data(), offsets.data() + offsets.size());
    require(of.front() >= 0 && of.back() <= column.size() && std::is_sorted(of.begin(), of.end()),
            "offsets must ascend and stay within the tokens");
    const py::gil_scoped_release release;
    counter.add_tokens(column, of, threads);
}

py::tuple take(TermCounter& counter, unsigned threads) {
    require(threads >= 1, "threads must be at least 1");
    lexrank::TermCounts taken;
    {
        const py::gil_scoped_release release;
        taken = counter.take(threads);
    }
    return py::make_tuple(to_numpy(std::move(taken.offsets)), to_numpy(std::move(taken.columns)),
                          to_numpy(std::move(taken.counts)),
                          to_numpy(std::move(taken.document_counts)));
}

/// All terms in the order of their bytes, as one string with offsets, and their document counts.
py::tuple sorted_terms(const TermCounter& counter) {
    const auto& terms = counter.terms();
    std::vector<std::size_t> order(terms.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return terms[a] < terms[b]; });
    std::string bytes;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int64_t> documents;
    for (const std::size_t id : order) {
        bytes += terms[id];
        offsets.push_back(static_cast<std::int64_t>(bytes.size()));
        documents.push_back(counter.term_documents()[id]);
    }
    return py::make_tuple(py::bytes(bytes), to_numpy(std::move(offsets)),
                          to_numpy(std::move(documents)));
}

void add_terms(TermCounter& counter, std::string_view bytes, const Array<std::int64_t>& offsets,
               const Array<std::int64_t>& documents, std::int64_t total) {
    require(offsets.ndim() == 1 && documents.ndim() == 1 && offsets.size() == documents.size() + 1,
            "offsets must have one entry more than there are document counts");
    const std::int64_t* const at = offsets.data();
    require(at[0] == 0 && at[documents.size()] == static_cast<std::int64_t>(bytes.size()) &&
                std::is_sorted(at, at + offsets.size()),
            "offsets must ascend from 0 to the end of the terms");
    for (py::ssize_t k = 0; k < documents.size(); ++k) {
        const auto begin = static_cast<std::size_t>(at[k]);
        const auto size = static_cast<std::size_t>(at[k + 1]) - begin;
        const std::int64_t count = documents.data()[k];
        require(size != 0 && count >= 1 && count <= total, "a document count is out of range");
        counter.add_term(bytes.substr(begin, size), count);
    }
    counter.add_documents(total);
}

std::int64_t documents_with(const TermCounter& counter, std::string_view term) {
    if (term.empty()) return 0;
    const auto found = counter.terms().find(term, lexrank::Vocabulary::hash_of(term));
    return found ? counter.term_documents()[*found] : 0;
}

void add_texts(lexrank::TokenNumbers& numbers, const py::object& array) {
    const ImportedArray imported(array);
    const arrow::TextColumn column = imported.text();
    const py::gil_scoped_release release;
    numbers.add(column);
}

/// Offsets and numbers, and the tokens as one string with offsets. Nothing is left.
py::tuple take_numbers(lexrank::TokenNumbers& numbers) {
    lexrank::TokenNumbers taken = std::move(numbers);
    numbers = {};
    std::string bytes;
    std::vector<std::int64_t> offsets{0};
    for (std::size_t id = 0; id < taken.tokens.size(); ++id) {
        bytes += taken.tokens[id];
        offsets.push_back(static_cast<std::int64_t>(bytes.size()));
    }
    return py::make_tuple(to_numpy(std::move(taken.offsets)), to_numpy(std::move(taken.numbers)),
                          py::bytes(bytes), to_numpy(std::move(offsets)));
}

py::tuple shared_pairs(const Array<std::int64_t>& offsets, const Array<std::int32_t>& terms,
                       std::int64_t least) {
    require(offsets.ndim() == 1 && offsets.size() >= 1 && terms.ndim() == 1,
            "offsets must have one entry more than there are rows");
    const std::span<const std::int64_t> of(offsets.data(),
                                           static_cast<std::size_t>(offsets.size()));
    const std::span<const std::int32_t> all(terms.data(), static_cast<std::size_t>(terms.size()));
    require(of.front() == 0 && of.back() == terms.size() && std::is_sorted(of.begin(), of.end()),
            "offsets must ascend from 0 to the end of the terms");
    require(std::all_of(all.begin(), all.end(), [](std::int32_t term) { return term >= 1; }),
            "terms must be 1 or more");
    lexrank::SharedPairs found;
    {
        const py::gil_scoped_release release;
        found = lexrank::shared_pairs(of, all, least);
    }
    return py::make_tuple(to_numpy(std::move(found.offsets)), to_numpy(std::move(found.pairs)),
                          to_numpy(std::move(found.rows)));
}

/// log(documents / n), or log(documents + 1) if n is 0.
py::array_t<double> idf(const Array<std::int64_t>& document_counts, std::int64_t documents) {
    require(document_counts.ndim() == 1, "document counts must be one-dimensional");
    std::vector<double> result;
    for (py::ssize_t k = 0; k < document_counts.size(); ++k) {
        const std::int64_t n = document_counts.data()[k];
        require(0 <= n && n <= documents, "a document count is out of range");
        const auto total = static_cast<double>(documents);
        result.push_back(
            numeric::portable_log(n == 0 ? total + 1 : total / static_cast<double>(n)));
    }
    return to_numpy(std::move(result));
}

}  // namespace

void bind_terms(py::module_& module) {
    py::class_<TermCounter>(module, "TermCounter")
        .def(py::init<bool, const std::vector<std::string>&, bool>(), py::kw_only(),
             py::arg("words_only"), py::arg("stopwords"), py::arg("keep_rows"))
        .def("add", &add, py::arg("array"), py::kw_only(), py::arg("threads") = 1)
        .def("add_tokens", &add_tokens, py::arg("array"), py::arg("offsets").noconvert(),
             py::kw_only(), py::arg("threads") = 1)
        .def("add_terms", &add_terms, py::arg("terms"), py::arg("offsets").noconvert(),
             py::arg("document_counts").noconvert(), py::arg("documents"))
        .def("merge", &TermCounter::merge, py::arg("other"))
        .def("take", &take, py::kw_only(), py::arg("threads") = 1)
        .def(
            "document_counts_in",
            [](const TermCounter& counter, const TermCounter& fitted) {
                return to_numpy(counter.document_counts_in(fitted));
            },
            py::arg("fitted"))
        .def("documents_with", &documents_with, py::arg("term"))
        .def("sorted_terms", &sorted_terms)
        .def_property_readonly("units", &TermCounter::units)
        .def_property_readonly("documents", &TermCounter::documents)
        .def_property_readonly("size", [](const TermCounter& counter) {
            return static_cast<std::int64_t>(counter.terms().size());
        });
    py::class_<lexrank::TokenNumbers>(module, "TokenNumbers")
        .def(py::init<>())
        .def("add", &add_texts, py::arg("array"))
        .def("take", &take_numbers);
    module.def("shared_pairs", &shared_pairs, py::arg("offsets").noconvert(),
               py::arg("terms").noconvert(), py::kw_only(), py::arg("least"),
               "The pairs of neighbouring terms that so many rows have.");
    module.def("idf", &idf, py::arg("document_counts").noconvert(), py::arg("documents"),
               "log(documents / n) per term; log(documents + 1) if n is 0.");
}

}  // namespace dsir::bindings
