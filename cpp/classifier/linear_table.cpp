#include "classifier/linear_table.hpp"

#include <array>
#include <cmath>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "classifier/terms.hpp"
#include "ngram/log_ratio_table.hpp"
#include "ngram/score_rows.hpp"
#include "parallel/for_ranges.hpp"

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

/// The log-weights of one document after the other. Use one per thread.
class TableScorer final : public ngram::DocumentScorer {
  public:
    TableScorer(const LinearTable& table, const std::vector<Line>& lines,
                const ngram::Weighing& weighing)
        : table_(table),
          terms_(table.buckets()),
          sums_(table),
          lines_(lines),
          weighing_(weighing) {}

    ngram::BucketStream::Outcome take(ngram::BucketStream& stream, std::string_view document) {
        terms_.forget();
        return stream.run(document,
                          [this](std::span<const std::uint32_t> buckets) { add(buckets); });
    }

    void start() override { terms_.forget(); }

    void add(std::span<const std::uint32_t> buckets) override {
        terms_.add(buckets, table_.of(0), table_.columns());
    }

    void finish(const ngram::BucketStream::Outcome& outcome,
                std::vector<double>& weights) override {
        weights.resize(lines_.size());
        sums_.add(terms_);
        sums_.finish(weights.data());
        for (std::size_t c = 0; c < lines_.size(); ++c) {
            weights[c] = lines_[c].slope * weights[c] + lines_[c].intercept;
        }
        weighing_.apply(outcome.tokens, outcome.features, weights.data());
    }

  private:
    const LinearTable& table_;
    DocumentTerms terms_;
    Sums sums_;
    const std::vector<Line>& lines_;
    const ngram::Weighing& weighing_;
};

}  // namespace

LinearTable::LinearTable(const float* weights, std::size_t columns, std::size_t buckets)
    : columns_(columns), entries_(columns * buckets) {
    constexpr double kUnits = std::int64_t{1} << kFractionBits;  // exact, and faster than ldexp
    for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t b = 0; b < buckets; ++b) {
            const auto weight = static_cast<double>(weights[c * buckets + b]);
            entries_[b * columns + c] = static_cast<std::int32_t>(std::llrint(weight * kUnits));
        }
    }
}

void score(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
           const LinearTable& table, const std::vector<Line>& lines,
           const ngram::Weighing& weighing, unsigned threads, const ngram::ScoreOutput& out,
           const ngram::TokenWatches* watches) {
    ngram::score_rows(
        column, spec, weighing.columns(), threads, out,
        [&] { return TableScorer(table, lines, weighing); }, watches);
}

ngram::ScorePart part_of(const ngram::FeatureSpec& spec, const LinearTable& table,
                         const std::vector<Line>& lines, const ngram::Weighing& weighing) {
    return {spec, weighing.columns(), [&table, &weighing, &lines] {
                return std::make_unique<TableScorer>(table, lines, weighing);
            }};
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
