#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arrow/text_column.hpp"
#include "classifier/terms.hpp"
#include "ngram/feature_spec.hpp"

namespace dsir::classifier {

/// The terms of some documents, one document after the other; ascending within each.
struct TermLists {
    std::vector<std::int64_t> offsets;  ///< [documents + 1]: where each document begins and ends
    std::vector<Term> terms;
};

/// A view of lists in memory that somebody else owns.
struct TermListsView {
    std::span<const std::int64_t> offsets;
    std::span<const Term> terms;

    std::size_t size() const { return offsets.size() - 1; }
    std::span<const Term> operator[](std::size_t document) const {
        const auto begin = static_cast<std::size_t>(offsets[document]);
        return terms.subspan(begin, static_cast<std::size_t>(offsets[document + 1]) - begin);
    }
};

/// Lists the terms of the rows at `positions` of a column. Rows that are null or not text have
/// none. A row is read up to the stretch that takes its n-grams to `most`, so that long rows take a
/// bounded share of memory. The result does not depend on `threads`.
TermLists term_lists(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
                     std::span<const std::int64_t> positions, std::uint64_t most, unsigned threads);

}  // namespace dsir::classifier
