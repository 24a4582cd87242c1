#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ngram/bucket_stream.hpp"
#include "ngram/byte_counts.hpp"
#include "ngram/character_counts.hpp"
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

/// Of so much text for each thread, counting pairs of bytes first pays for its tables.
constexpr std::int64_t kByteCountsPay = std::int64_t{1} << 19;

/// The same for characters, which are given numbers as well: with a megabyte, Japanese still loses.
constexpr std::int64_t kCharacterCountsPay = std::int64_t{3} << 19;

/// Counts documents one by one.
class DocumentCounter {
  public:
    /// Adds to `counts`, all of it only after finish(). `text_bytes` are about as many as the
    /// documents will have together.
    DocumentCounter(const FeatureSpec& spec, std::span<std::int64_t> counts,
                    std::int64_t text_bytes)
        : stream_(spec), counts_(counts) {
        if (text_bytes >= kByteCountsPay && ByteCounts::fit(spec)) byte_counts_.emplace(spec);
        if (text_bytes >= kCharacterCountsPay && CharacterCounts::fit(spec)) {
            of_characters_.emplace(spec);
        }
    }

    /// Adds one document to the counts. If the document is not UTF-8 or too long, it adds nothing,
    /// and the outcome is not valid.
    BucketStream::Outcome add(std::string_view document) {
        if (document.size() > text::kLargestDocument) return {0, 0, false};
        if (byte_counts_ && byte_counts_->takes(document)) {
            return byte_counts_->add(document, counts_);
        }
        if (of_characters_) {
            if (!character_counts_) character_counts_.emplace(*of_characters_);
            if (const auto outcome = character_counts_->add(document, counts_)) return *outcome;
        }
        const auto outcome = stream_.run(document, [this](std::span<const std::uint32_t> buckets) {
            visit_entries(buckets, counts_.data(), counts_.size(),
                          [](std::int64_t& entry) { ++entry; });
        });
        if (!outcome.valid) {
            // The stream delivers the stretches before the bad bytes once more, and they are
            // subtracted.
            stream_.run(document, [this](std::span<const std::uint32_t> buckets) {
                visit_entries(buckets, counts_.data(), counts_.size(),
                              [](std::int64_t& entry) { --entry; });
            });
        }
        return outcome;
    }

    void finish() {
        if (byte_counts_) byte_counts_->finish(counts_);
        if (character_counts_) character_counts_->finish(counts_);
    }

  private:
    BucketStream stream_;
    std::span<std::int64_t> counts_;
    std::optional<ByteCounts> byte_counts_;
    std::optional<FeatureSpec> of_characters_;         ///< if characters are counted by number
    std::optional<CharacterCounts> character_counts_;  ///< from the first document on
};

CountResult count_range(DocumentCounter& counter, const arrow::TextColumn& column,
                        std::int64_t limit, std::int64_t begin, std::int64_t end) {
    CountResult result;
    for (std::int64_t row = begin; row < end; ++row) {
        ++result.rows;
        const auto document = column[row];
        if (!document) continue;
        const auto outcome = counter.add(*document);
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
    Partial(const FeatureSpec& spec, std::int64_t text_bytes)
        : counts(spec.buckets), counter(spec, counts, text_bytes) {}
    std::vector<std::int64_t> counts;
    DocumentCounter counter;
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
        DocumentCounter counter(spec, {counts, spec.buckets}, column.text_bytes());
        const CountResult result = count_range(counter, column, limit, 0, column.size());
        counter.finish();
        return result;
    }
    const std::int64_t text_bytes = column.text_bytes() / threads;
    std::vector<std::unique_ptr<Partial>> partials(threads);
    const auto count_part = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        if (!partials[thread]) partials[thread] = std::make_unique<Partial>(spec, text_bytes);
        Partial& partial = *partials[thread];
        partial.result += count_range(partial.counter, column, -1, begin, end);
    };
    parallel::for_ranges(column.size(), threads, count_part);
    CountResult total;
    for (const auto& partial : partials) {
        if (!partial) continue;
        partial->counter.finish();
        for (std::uint32_t b = 0; b < spec.buckets; ++b) counts[b] += partial->counts[b];
        total += partial->result;
    }
    std::sort(total.invalid_rows.begin(), total.invalid_rows.end());
    return total;
}

}  // namespace dsir::ngram
