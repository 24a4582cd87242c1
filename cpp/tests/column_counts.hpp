#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "check.hpp"
#include "ngram/kernels.hpp"
#include "text_array.hpp"

namespace dsir::test {

/// Checks that count() finds in a column what it finds in the rows one at a time, each of which has
/// too few bytes for the ways to count that only long columns pay for.
///
/// @param broken how many of the rows are not UTF-8
inline void check_column_counts(const Rows& rows, const ngram::FeatureSpec& spec,
                                std::initializer_list<unsigned> threads, std::size_t broken) {
    std::vector<std::int64_t> expected(spec.buckets);
    ngram::CountResult whole;
    for (const auto& row : rows) {
        const auto array = TextArray::strings({row});
        whole += ngram::count(array->column(), spec, -1, 1, expected.data());
    }
    const auto array = TextArray::strings(rows);
    for (const unsigned used : threads) {
        std::vector<std::int64_t> counts(spec.buckets);
        const auto found = ngram::count(array->column(), spec, -1, used, counts.data());
        CHECK(counts == expected);
        CHECK_EQUAL(found.tokens, whole.tokens);
        CHECK_EQUAL(found.ngrams, whole.ngrams);
        CHECK_EQUAL(found.documents, whole.documents);
        CHECK_EQUAL(found.invalid_rows.size(), broken);
    }
}

}  // namespace dsir::test
