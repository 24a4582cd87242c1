#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arrow/text_column.hpp"
#include "ngram/feature_spec.hpp"
#include "ngram/log_ratio_table.hpp"
#include "ngram/weighing.hpp"
#include "text/row_status.hpp"

/// The kernels: one call a record batch. All are pure functions of their arguments; the result does
/// not depend on `threads` (at least 1).
namespace dsir::ngram {

struct CountResult {
    std::int64_t rows = 0;                   ///< rows taken, fewer than given if the limit was met
    std::int64_t ngrams = 0;                 ///< n-grams added to the counts
    std::int64_t documents = 0;              ///< rows that have a token
    std::int64_t tokens = 0;                 ///< in these
    std::vector<std::int64_t> invalid_rows;  ///< not UTF-8, or too long; they add nothing

    CountResult& operator+=(const CountResult& other);
};

/// Adds the n-grams of the rows, in order, to counts[buckets]; stops after the row that takes the
/// number of added n-grams above `limit` (negative: no limit).
CountResult count(const arrow::TextColumn& column, const FeatureSpec& spec, std::int64_t limit,
                  unsigned threads, std::int64_t* counts);

/// Where score() writes; every array has one entry per row.
struct ScoreOutput {
    double* log_weight;     ///< [columns][rows]; 0 where there is no n-gram
    std::uint32_t* tokens;  ///< 0 for null and invalid rows
    std::uint32_t* bytes;   ///< of text, 0 for null rows
    text::RowStatus* status;
};

/// The log-weights of every row: weighing.columns() of them. `table` has spec.buckets buckets and
/// weighing.targets targets.
void score(const arrow::TextColumn& column, const FeatureSpec& spec, const LogRatioTable& table,
           const Weighing& weighing, unsigned threads, const ScoreOutput& out);

/// One n-gram of a text: the string the reference would hash.
struct NamedNgram {
    std::string ngram;
    std::uint32_t bucket;
};

/// Every n-gram of a text in order of its last token, shortest first. False: not UTF-8.
bool named_ngrams(std::string_view document, const FeatureSpec& spec, std::vector<NamedNgram>& out);

}  // namespace dsir::ngram
