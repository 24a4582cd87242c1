#include <optional>
#include <vector>

#include "ngram/bucket_stream.hpp"
#include "ngram/kernels.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::ngram {
namespace {

void score_row(BucketStream& stream, std::optional<std::string_view> document, unsigned n,
               const std::int64_t* table, LengthPolicy policy, std::int64_t row,
               const ScoreOutput& out) {
    out.log_weight[row] = 0;
    out.tokens[row] = 0;
    out.bytes[row] = 0;
    out.status[row] = document ? RowStatus::text : RowStatus::null;
    if (!document) return;
    if (document->size() > kLargestDocument) {
        out.status[row] = RowStatus::too_long;
        return;
    }
    out.bytes[row] = static_cast<std::uint32_t>(document->size());
    int128 sum = 0;
    std::int64_t stretch = 0;
    const auto outcome = stream.run(
        *document, [&stretch, table](std::uint32_t bucket) { stretch += table[bucket]; },
        [&stretch, &sum] {
            sum += stretch;
            stretch = 0;
        });
    if (!outcome.valid) {
        out.status[row] = RowStatus::invalid_utf8;
        return;
    }
    out.tokens[row] = static_cast<std::uint32_t>(outcome.tokens);
    if (outcome.tokens == 0) return;
    out.log_weight[row] = LogRatioTable::to_double(sum);
    if (policy == LengthPolicy::mean) {
        out.log_weight[row] /= static_cast<double>(ngram_count(outcome.tokens, n));
    }
}

}  // namespace

void score(const arrow::TextColumn& column, const FeatureSpec& spec, const LogRatioTable& table,
           LengthPolicy policy, unsigned threads, const ScoreOutput& out) {
    std::vector<std::optional<BucketStream>> streams(threads);
    const auto score_range = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        if (!streams[thread]) streams[thread].emplace(spec);
        for (std::int64_t row = begin; row < end; ++row) {
            score_row(*streams[thread], column[row], spec.n, table.data(), policy, row, out);
        }
    };
    parallel::for_ranges(column.size(), threads, score_range);
}

}  // namespace dsir::ngram
