#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arrow/text_column.hpp"
#include "ngram/feature_spec.hpp"
#include "ngram/log_ratio_table.hpp"
#include "ngram/token_watch.hpp"
#include "ngram/weighing.hpp"
#include "text/row_status.hpp"

/// The kernels over n-grams; one call processes one record batch. They are pure functions of their
/// arguments, and their results do not depend on `threads` (at least 1).
namespace dsir::ngram {

struct CountResult {
    std::int64_t rows = 0;       ///< rows counted; fewer than given if the limit was reached
    std::int64_t ngrams = 0;     ///< n-grams added to the counts
    std::int64_t documents = 0;  ///< rows with at least one token
    std::int64_t tokens = 0;     ///< tokens in those rows
    std::vector<std::int64_t> invalid_rows;  ///< not UTF-8 or too long; such rows add nothing

    CountResult& operator+=(const CountResult& other);
};

/// Adds the n-grams of the rows to counts[buckets], in the order of the rows. Stops after the row
/// with which the number of added n-grams exceeds `limit`. A negative limit means none.
CountResult count(const arrow::TextColumn& column, const FeatureSpec& spec, std::int64_t limit,
                  unsigned threads, std::int64_t* counts);

/// The arrays that score() fills. The caller owns them; each has one entry per row.
struct ScoreOutput {
    double* log_weight;     ///< [columns][rows]; 0 for a row without n-grams
    std::uint32_t* tokens;  ///< 0 for null and invalid rows
    std::uint32_t* bytes;   ///< bytes of text; 0 for null rows
    text::RowStatus* status;
};

/// Computes the log-weights of every row, weighing.columns() of them. `table` must have
/// spec.buckets buckets and weighing.targets targets. `watches` see the tokens of the rows as well,
/// unless it is null.
void score(const arrow::TextColumn& column, const FeatureSpec& spec, const LogRatioTable& table,
           const Weighing& weighing, unsigned threads, const ScoreOutput& out,
           const TokenWatches* watches = nullptr);

/// One n-gram of a text, as the string that the reference would hash.
struct NamedNgram {
    std::string ngram;
    std::uint32_t bucket;
};

/// Appends every n-gram of a document to `out`, ordered by the last token, shorter n-grams first.
/// Returns false if the document is not UTF-8, or too long in its form. Slow: for tests and for
/// showing n-grams to a user.
bool named_ngrams(std::string_view document, const FeatureSpec& spec, std::vector<NamedNgram>& out);

}  // namespace dsir::ngram
