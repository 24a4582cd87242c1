#include "coverage/relevance.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

#include "ngram/bucket_stream.hpp"
#include "ngram/log_ratio_table.hpp"
#include "numeric/portable_log.hpp"
#include "parallel/for_ranges.hpp"
#include "text/row_status.hpp"

namespace dsir::coverage {
namespace {

using ngram::int128;
using ngram::LogRatioTable;
using numeric::portable_log;

/// The sum of counts is exact as an integer, so it does not depend on the order.
double total_of(const std::int64_t* counts, std::size_t buckets) {
    std::int64_t total = 0;
    for (std::size_t b = 0; b < buckets; ++b) total += counts[b];
    return static_cast<double>(total);
}

/// The scratch memory of one thread.
struct Scratch {
    explicit Scratch(const ngram::FeatureSpec& spec) : stream(spec) {}
    ngram::BucketStream stream;
    std::vector<std::uint32_t> buckets;
};

}  // namespace

std::vector<double> raw_shares(const std::int64_t* raw, std::size_t buckets) {
    const double total = total_of(raw, buckets);
    std::vector<double> shares(buckets);
    for (std::size_t b = 0; b < buckets; ++b) {
        shares[b] = std::max(static_cast<double>(raw[b]), 0.5) / total;
    }
    return shares;
}

std::vector<double> relevance(const std::int64_t* target, const std::int64_t* raw,
                              std::size_t buckets, double prior) {
    const double total = total_of(target, buckets);
    const std::vector<double> shares = raw_shares(raw, buckets);
    // Most buckets are not of the target, and have the same entry.
    std::vector<double> table(buckets,
                              std::min(portable_log((0 + prior) / (1 + prior)), kLargestRelevance));
    for (std::size_t b = 0; b < buckets; ++b) {
        if (target[b] == 0) continue;
        const double ratio = static_cast<double>(target[b]) / (total * shares[b]);
        table[b] = std::min(portable_log((ratio + prior) / (1 + prior)), kLargestRelevance);
    }
    return table;
}

LeftOneOut::LeftOneOut(const std::int64_t* target, const std::int64_t* raw, std::size_t buckets,
                       double prior)
    : target_(target, target + buckets),
      raw_shares_(raw_shares(raw, buckets)),
      total_(total_of(target, buckets)),
      prior_(prior) {}

void LeftOneOut::score(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
                       unsigned threads, double* relevance, std::uint32_t* tokens) const {
    std::vector<std::unique_ptr<Scratch>> scratches(threads);
    const auto score_row = [&](Scratch& scratch, std::int64_t row) {
        relevance[row] = 0;
        tokens[row] = 0;
        const auto document = column[row];
        if (!document || document->size() > text::kLargestDocument) return;
        scratch.buckets.clear();
        const auto outcome =
            scratch.stream.run(*document, [&scratch](std::span<const std::uint32_t> stretch) {
                scratch.buckets.insert(scratch.buckets.end(), stretch.begin(), stretch.end());
            });
        if (!outcome.valid || outcome.tokens == 0) return;
        tokens[row] = static_cast<std::uint32_t>(outcome.tokens);
        std::vector<std::uint32_t>& buckets = scratch.buckets;
        std::sort(buckets.begin(), buckets.end());
        const auto ngrams = static_cast<double>(buckets.size());
        const double pseudo = prior_ * total_;
        // Fixed point, so that the sum is exact.
        int128 sum = 0;
        for (std::size_t at = 0; at < buckets.size();) {
            const std::uint32_t bucket = buckets[at];
            std::size_t end = at + 1;
            while (end < buckets.size() && buckets[end] == bucket) ++end;
            const auto count = static_cast<std::int64_t>(end - at);
            const double others = static_cast<double>(target_[bucket] - count);
            const double entry = portable_log(others / raw_shares_[bucket] + pseudo);
            sum += int128{std::llrint(std::ldexp(entry, LogRatioTable::kFractionBits))} * count;
            at = end;
        }
        relevance[row] =
            LogRatioTable::to_double(sum) / ngrams - portable_log(total_ - ngrams + pseudo);
    };
    parallel::for_ranges(column.size(), threads,
                         [&](unsigned thread, std::int64_t begin, std::int64_t end) {
                             if (!scratches[thread]) {
                                 scratches[thread] = std::make_unique<Scratch>(spec);
                             }
                             for (std::int64_t row = begin; row < end; ++row) {
                                 score_row(*scratches[thread], row);
                             }
                         });
}

}  // namespace dsir::coverage
