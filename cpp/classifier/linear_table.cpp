#include "classifier/linear_table.hpp"

#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "classifier/terms.hpp"
#include "ngram/bucket_stream.hpp"
#include "ngram/log_ratio_table.hpp"
#include "parallel/for_ranges.hpp"
#include "text/row_status.hpp"

namespace dsir::classifier {
namespace {

using ngram::int128;

/// The sums of one document after the other. Use one per thread.
class Sums {
  public:
    explicit Sums(const LinearTable& table) : table_(table), sums_(table.columns()) {}

    void add(std::uint32_t bucket, std::uint32_t count) {
        const std::int64_t term = term_weights_[count];
        squares_ += term * term;
        if (sums_.size() == 1) {
            // A product is below 2^46, so that 2^16 of them fit into 64 bits.
            part_ += *table_.of_one(bucket) * term;
            if (++parts_ == kMostParts) flush();
            return;
        }
        const std::int32_t* const entries = table_.of(bucket);
        for (std::size_t c = 0; c < sums_.size(); ++c) sums_[c] += entries[c] * term;
    }

    /// Adds a document, and forgets its terms.
    void add(DocumentTerms& terms) {
        switch (sums_.size()) {
            case 1:
                add_columns<1>(terms);
                break;
            case 2:
                add_columns<2>(terms);
                break;
            case 3:
                add_columns<3>(terms);
                break;
            case 4:
                add_columns<4>(terms);
                break;
            default:
                terms.finish(
                    [this](std::uint32_t bucket, std::uint32_t count) { add(bucket, count); });
        }
    }

    /// Sets scores[columns] for what was added, and forgets it.
    void finish(double* scores) {
        flush();
        const double length = std::sqrt(static_cast<double>(squares_));
        for (std::size_t c = 0; c < sums_.size(); ++c) {
            const double sum =
                std::ldexp(static_cast<double>(sums_[c]), -LinearTable::kFractionBits);
            scores[c] = squares_ == 0 ? 0 : sum / length;
            sums_[c] = 0;
        }
        squares_ = 0;
    }

  private:
    static constexpr std::uint32_t kMostParts = 1U << 16;

    /// Does as `add` does for each bucket, with all that changes in registers.
    template <std::size_t Columns>
    void add_columns(DocumentTerms& terms) {
        const std::int32_t* const entries = table_.of(0);
        std::array<std::int64_t, Columns> parts{};
        std::int64_t squares = 0;
        std::uint32_t added = 0;
        const auto flush_parts = [&] {
            for (std::size_t c = 0; c < Columns; ++c) sums_[c] += std::exchange(parts[c], 0);
            added = 0;
        };
        terms.finish([&](std::uint32_t bucket, std::uint32_t count) {
            const std::int64_t term = term_weights_[count];
            squares += term * term;
            const std::int32_t* const of_bucket = entries + std::size_t{bucket} * Columns;
            for (std::size_t c = 0; c < Columns; ++c) parts[c] += of_bucket[c] * term;
            if (++added == kMostParts) flush_parts();
        });
        flush_parts();
        squares_ += squares;
    }

    void flush() {
        sums_[0] += part_;
        part_ = 0;
        parts_ = 0;
    }

    const LinearTable& table_;
    TermWeights term_weights_;
    std::int64_t part_ = 0;  ///< of the only column: what is not in its sum yet
    std::uint32_t parts_ = 0;
    std::vector<int128> sums_;
    std::int64_t squares_ = 0;
};

/// The scratch memory of one thread.
struct Scratch {
    Scratch(const ngram::FeatureSpec& spec, const LinearTable& table)
        : stream(spec), terms(spec.buckets), sums(table), weights(table.columns()) {}
    ngram::BucketStream stream;
    DocumentTerms terms;
    Sums sums;
    std::vector<double> weights;
};

void score_row(Scratch& scratch, std::optional<std::string_view> document,
               const std::vector<Line>& lines, const ngram::Weighing& weighing, std::int64_t row,
               std::int64_t rows, const ngram::ScoreOutput& out) {
    const auto columns = static_cast<std::int64_t>(weighing.columns());
    for (std::int64_t c = 0; c < columns; ++c) out.log_weight[c * rows + row] = 0;
    out.tokens[row] = 0;
    out.bytes[row] = 0;
    out.status[row] = document ? text::RowStatus::text : text::RowStatus::null;
    if (!document) return;
    if (document->size() > text::kLargestDocument) {
        out.status[row] = text::RowStatus::too_long;
        return;
    }
    out.bytes[row] = static_cast<std::uint32_t>(document->size());
    const auto outcome = scratch.stream.run(
        *document,
        [&scratch](std::span<const std::uint32_t> buckets) { scratch.terms.add(buckets); });
    if (!outcome.valid) {
        scratch.terms.forget();
        out.status[row] = text::RowStatus::invalid_utf8;
        return;
    }
    out.tokens[row] = static_cast<std::uint32_t>(outcome.tokens);
    double* const weights = scratch.weights.data();
    scratch.sums.add(scratch.terms);
    scratch.sums.finish(weights);
    if (outcome.features == 0) return;
    for (std::size_t c = 0; c < lines.size(); ++c) {
        weights[c] = lines[c].slope * weights[c] + lines[c].intercept;
    }
    weighing.apply(outcome.tokens, outcome.features, weights);
    for (std::int64_t c = 0; c < columns; ++c) out.log_weight[c * rows + row] = weights[c];
}

}  // namespace

LinearTable::LinearTable(const float* weights, std::size_t columns, std::size_t buckets)
    : columns_(columns), entries_(columns * buckets) {
    for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t b = 0; b < buckets; ++b) {
            const auto weight = static_cast<double>(weights[c * buckets + b]);
            entries_[b * columns + c] =
                static_cast<std::int32_t>(std::llrint(std::ldexp(weight, kFractionBits)));
        }
    }
}

void score(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
           const LinearTable& table, const std::vector<Line>& lines,
           const ngram::Weighing& weighing, unsigned threads, const ngram::ScoreOutput& out) {
    std::vector<std::unique_ptr<Scratch>> scratches(threads);
    parallel::for_ranges(column.size(), threads,
                         [&](unsigned thread, std::int64_t begin, std::int64_t end) {
                             if (!scratches[thread])
                                 scratches[thread] = std::make_unique<Scratch>(spec, table);
                             for (std::int64_t row = begin; row < end; ++row) {
                                 score_row(*scratches[thread], column[row], lines, weighing, row,
                                           column.size(), out);
                             }
                         });
}

void score_lists(const TermListsView& lists, const LinearTable& table, unsigned threads,
                 double* scores) {
    parallel::for_ranges(static_cast<std::int64_t>(lists.size()), threads,
                         [&](unsigned, std::int64_t begin, std::int64_t end) {
                             Sums sums(table);
                             std::vector<double> columns(table.columns());
                             for (std::int64_t d = begin; d < end; ++d) {
                                 for (const Term term : lists[static_cast<std::size_t>(d)]) {
                                     sums.add(bucket_of(term), count_of(term));
                                 }
                                 sums.finish(columns.data());
                                 scores[d] = columns[0];
                             }
                         });
}

}  // namespace dsir::classifier
