#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "arrow/text_column.hpp"
#include "ngram/feature_spec.hpp"
#include "ngram/log_ratio_table.hpp"

/// Documents as the buckets of their n-grams, so that they can be gone over many times without
/// their texts.
namespace dsir::coverage {

/// The buckets of every n-gram of some documents, one document after the other.
struct BucketLists {
    std::vector<std::int64_t> offsets;  ///< [documents + 1]: where each document begins and ends
    std::vector<std::uint32_t> buckets;
};

/// Lists the buckets of the rows at `positions` of a column. Rows that are null or not text have no
/// buckets. The result does not depend on `threads`.
BucketLists bucket_lists(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
                         std::span<const std::int64_t> positions, unsigned threads);

/// A view of lists in memory that somebody else owns.
struct ListsView {
    std::span<const std::int64_t> offsets;
    std::span<const std::uint32_t> buckets;

    std::int64_t size() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
    std::span<const std::uint32_t> operator[](std::int64_t document) const {
        const auto begin = static_cast<std::size_t>(offsets[static_cast<std::size_t>(document)]);
        const auto end = static_cast<std::size_t>(offsets[static_cast<std::size_t>(document) + 1]);
        return buckets.subspan(begin, end - begin);
    }
};

/// Sets gains[documents] to the mean of the table's entries over each document's n-grams; 0 for
/// documents that are not `wanted` (one byte each) or have no n-grams. `table` has one target. The
/// sums are exact, so the result does not depend on `threads`.
void mean_entries(const ListsView& lists, const ngram::LogRatioTable& table,
                  const std::uint8_t* wanted, unsigned threads, double* gains);

/// Adds the n-grams of the documents that are `wanted` to counts, one entry a bucket.
void add_counts(const ListsView& lists, const std::uint8_t* wanted, std::int64_t* counts);

}  // namespace dsir::coverage
