#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "ngram/bucket_stream.hpp"
#include "ngram/kernels.hpp"
#include "ngram/visit_entries.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::ngram {

CountResult& CountResult::operator+=(const CountResult& other) {
    rows += other.rows;
    ngrams += other.ngrams;
    documents += other.documents;
    tokens += other.tokens;
    invalid_rows.insert(invalid_rows.end(), other.invalid_rows.begin(), other.invalid_rows.end());
    return *this;
}

namespace {

/// Adds one document to the counts. If the document is not UTF-8 or too long, it adds nothing, and
/// the outcome is not valid.
BucketStream::Outcome count_document(BucketStream& stream, std::string_view document,
                                     std::span<std::int64_t> counts) {
    if (document.size() > text::kLargestDocument) return {0, 0, false};
    const auto add = [counts](std::span<const std::uint32_t> buckets) {
        visit_entries(buckets, counts.data(), counts.size(), [](std::int64_t& entry) { ++entry; });
    };
    const auto outcome = stream.run(document, add);
    if (!outcome.valid) {
        // The stream delivers the stretches before the bad bytes once more, and they are
        // subtracted.
        stream.run(document, [counts](std::span<const std::uint32_t> buckets) {
            visit_entries(buckets, counts.data(), counts.size(),
                          [](std::int64_t& entry) { --entry; });
        });
    }
    return outcome;
}

CountResult count_range(BucketStream& stream, const arrow::TextColumn& column, std::int64_t limit,
                        std::int64_t begin, std::int64_t end, std::span<std::int64_t> counts) {
    CountResult result;
    for (std::int64_t row = begin; row < end; ++row) {
        ++result.rows;
        const auto document = column[row];
        if (!document) continue;
        const auto outcome = count_document(stream, *document, counts);
        if (!outcome.valid) {
            result.invalid_rows.push_back(row);
            continue;
        }
        result.tokens += static_cast<std::int64_t>(outcome.tokens);
        result.documents += outcome.tokens > 0 ? 1 : 0;
        result.ngrams += static_cast<std::int64_t>(outcome.features);
        if (limit >= 0 && result.ngrams > limit) break;
    }
    return result;
}

/// What one thread counts.
struct Partial {
    Partial(const FeatureSpec& spec) : stream(spec), counts(spec.buckets) {}
    BucketStream stream;
    std::vector<std::int64_t> counts;
    CountResult result;
};

}  // namespace

CountResult count(const arrow::TextColumn& column, const FeatureSpec& spec, std::int64_t limit,
                  unsigned threads, std::int64_t* counts) {
    // A token takes at least one byte. If even that many tokens cannot reach the limit, rows may be
    // counted in any order.
    const auto most = std::int64_t{spec.most_per_token()} * column.text_bytes();
    const bool limit_can_be_met = limit >= 0 && most > limit;
    if (threads <= 1 || limit_can_be_met) {
        BucketStream stream(spec);
        return count_range(stream, column, limit, 0, column.size(), {counts, spec.buckets});
    }
    std::vector<std::unique_ptr<Partial>> partials(threads);
    const auto count_part = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        if (!partials[thread]) partials[thread] = std::make_unique<Partial>(spec);
        Partial& partial = *partials[thread];
        const CountResult part =
            count_range(partial.stream, column, -1, begin, end, partial.counts);
        partial.result += part;
    };
    parallel::for_ranges(column.size(), threads, count_part);
    CountResult total;
    for (const auto& partial : partials) {
        if (!partial) continue;
        for (std::uint32_t b = 0; b < spec.buckets; ++b) counts[b] += partial->counts[b];
        total += partial->result;
    }
    std::sort(total.invalid_rows.begin(), total.invalid_rows.end());
    return total;
}

}  // namespace dsir::ngram
