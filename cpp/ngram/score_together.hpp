#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "arrow/text_column.hpp"
#include "ngram/bucket_stream.hpp"
#include "ngram/feature_spec.hpp"
#include "ngram/kernels.hpp"
#include "ngram/token_watch.hpp"

namespace dsir::ngram {

/// Makes the log-weights of one document after the other of their buckets. Use one per thread.
class DocumentScorer {
  public:
    virtual ~DocumentScorer() = default;
    /// Begins a document, whatever became of the one before.
    virtual void start() = 0;
    /// Takes at most kMostBucketsAtOnce buckets.
    virtual void add(std::span<const std::uint32_t> buckets) = 0;
    /// Sets the log-weights of a document that is valid and has features.
    virtual void finish(const BucketStream::Outcome& outcome, std::vector<double>& weights) = 0;
};

/// One of several that score the same documents.
struct ScorePart {
    FeatureSpec spec;
    std::size_t columns;  ///< log-weights of a document
    std::function<std::unique_ptr<DocumentScorer>()> make;
};

/// The part that adds up a table, as score() does. `table` and `weighing` must outlive it.
ScorePart part_of(const FeatureSpec& spec, const LogRatioTable& table, const Weighing& weighing);

/// Fills the outputs of the parts, as score() does for each alone, while every document is cut into
/// tokens once. The specs of all parts have the same `cutting` and `form`. The outputs may share
/// their tokens, bytes and status, which are the same for all. `watches` see the tokens of the rows
/// as well, unless it is null.
void score_together(const arrow::TextColumn& column, std::span<const ScorePart> parts,
                    unsigned threads, std::span<const ScoreOutput> out,
                    const TokenWatches* watches = nullptr);

}  // namespace dsir::ngram
