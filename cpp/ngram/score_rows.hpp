#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "ngram/bucket_stream.hpp"
#include "ngram/kernels.hpp"
#include "ngram/token_watch.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::ngram {

/// Fills `out` for every row of a column, in threads.
///
/// `make()` returns the scorer of a thread, which has two members: `take(stream, document)` reads a
/// document and returns the stream's outcome, and `finish(outcome, weights)` then writes the
/// document's log-weights. `finish` is called only for documents with features. `watches` see the
/// tokens of valid documents as well, unless it is null.
template <class Make>
void score_rows(const arrow::TextColumn& column, const FeatureSpec& spec, std::size_t columns,
                unsigned threads, const ScoreOutput& out, const Make& make,
                const TokenWatches* watches = nullptr) {
    using Scorer = decltype(make());
    struct Scratch {
        BucketStream stream;
        Scorer scorer;
        std::vector<double> weights;
        std::unique_ptr<TokenWatch> watch;
    };
    std::vector<std::unique_ptr<Scratch>> scratches(threads);
    const std::int64_t rows = column.size();
    const auto score_row = [&](Scratch& scratch, std::int64_t row) {
        const std::optional<std::string_view> document = column[row];
        for (std::size_t c = 0; c < columns; ++c) {
            out.log_weight[static_cast<std::int64_t>(c) * rows + row] = 0;
        }
        out.tokens[row] = 0;
        out.bytes[row] = 0;
        out.status[row] = document ? text::RowStatus::text : text::RowStatus::null;
        if (!document) return;
        if (document->size() > text::kLargestDocument) {
            out.status[row] = text::RowStatus::too_long;
            return;
        }
        out.bytes[row] = static_cast<std::uint32_t>(document->size());
        const BucketStream::Outcome outcome = scratch.scorer.take(scratch.stream, *document);
        if (!outcome.valid) {
            out.status[row] = text::RowStatus::invalid_utf8;
            return;
        }
        if (scratch.watch) scratch.watch->finish(row);
        out.tokens[row] = static_cast<std::uint32_t>(outcome.tokens);
        if (outcome.features == 0) return;
        scratch.scorer.finish(outcome, scratch.weights);
        for (std::size_t c = 0; c < columns; ++c) {
            out.log_weight[static_cast<std::int64_t>(c) * rows + row] = scratch.weights[c];
        }
    };
    parallel::for_ranges(rows, threads, [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        std::unique_ptr<Scratch>& own = scratches[thread];
        if (!own) {
            own.reset(new Scratch{BucketStream(spec), make(), {}, nullptr});
            if (watches != nullptr) own->watch = watches->make();
            own->stream.show_tokens_to(own->watch.get());
        }
        for (std::int64_t row = begin; row < end; ++row) score_row(*own, row);
    });
}

}  // namespace dsir::ngram
