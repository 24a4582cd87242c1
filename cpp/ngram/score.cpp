#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ngram/bucket_stream.hpp"
#include "ngram/kernels.hpp"
#include "ngram/visit_entries.hpp"
#include "parallel/for_ranges.hpp"
#include "simd/row_sums.hpp"

namespace dsir::ngram {
namespace {

/// Adds up the table's entries for a document. Use one per thread.
///
/// For each group of targets the code goes over the buckets of a stretch once, with the sums in
/// registers.
class Sums {
  public:
    explicit Sums(const LogRatioTable& table)
        : table_(table),
          add_rows_(simd::add_rows_kernel(simd::active_level())),
          sums_(table.groups().size() * LogRatioTable::kGroup) {}

    void start_document() { std::fill(sums_.begin(), sums_.end(), 0); }

    BucketStream::Outcome add(BucketStream& stream, std::string_view document) {
        return table_.targets() == 1 ? add_one(stream, document) : add_several(stream, document);
    }

    double of_target(std::size_t target) const { return LogRatioTable::to_double(sums_[target]); }

  private:
    BucketStream::Outcome add_one(BucketStream& stream, std::string_view document) {
        const std::int64_t* const table = table_.groups()[0].data;
        int128 sum = 0;
        const auto outcome = stream.run(document, [&](std::span<const std::uint32_t> buckets) {
            std::int64_t stretch = 0;
            visit_entries(buckets, table, table_.buckets(),
                          [&stretch](std::int64_t entry) { stretch += entry; });
            sum += stretch;
        });
        sums_[0] = sum;
        return outcome;
    }

    BucketStream::Outcome add_several(BucketStream& stream, std::string_view document) {
        return stream.run(document, [this](std::span<const std::uint32_t> buckets) {
            for (const LogRatioTable::Group& group : table_.groups()) {
                switch (group.width) {
                    case 1:
                        add_stretch<1>(group, buckets);
                        break;
                    case 2:
                        add_stretch<2>(group, buckets);
                        break;
                    case 4:
                        add_stretch<4>(group, buckets);
                        break;
                    default:
                        add_rows(group, buckets);
                }
            }
        });
    }

    template <std::size_t kWidth>
    void add_stretch(const LogRatioTable::Group& group, std::span<const std::uint32_t> buckets) {
        std::array<std::int64_t, kWidth> stretch{};
        for (const std::uint32_t bucket : buckets) {
            const std::int64_t* const entries = group.data + std::size_t{bucket} * kWidth;
            for (std::size_t t = 0; t < kWidth; ++t) stretch[t] += entries[t];
        }
        for (std::size_t t = 0; t < kWidth; ++t) sums_[group.first + t] += stretch[t];
    }

    void add_rows(const LogRatioTable::Group& group, std::span<const std::uint32_t> buckets) {
        std::array<std::int64_t, LogRatioTable::kGroup> stretch{};
        add_rows_(group.data, buckets.data(), buckets.size(), stretch.data());
        for (std::size_t t = 0; t < stretch.size(); ++t) sums_[group.first + t] += stretch[t];
    }

    const LogRatioTable& table_;
    simd::AddRows add_rows_;
    std::vector<int128> sums_;  ///< by target, padded like the groups
};

/// The scratch memory of one thread.
struct Scratch {
    Scratch(const FeatureSpec& spec, const LogRatioTable& table)
        : stream(spec), sums(table), weights(table.targets()) {}
    BucketStream stream;
    Sums sums;
    std::vector<double> weights;
};

void score_row(Scratch& scratch, std::optional<std::string_view> document, const Weighing& weighing,
               std::int64_t row, std::int64_t rows, const ScoreOutput& out) {
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
    scratch.sums.start_document();
    const auto outcome = scratch.sums.add(scratch.stream, *document);
    if (!outcome.valid) {
        out.status[row] = text::RowStatus::invalid_utf8;
        return;
    }
    out.tokens[row] = static_cast<std::uint32_t>(outcome.tokens);
    if (outcome.features == 0) return;
    double* const weights = scratch.weights.data();
    for (std::size_t t = 0; t < weighing.targets; ++t) weights[t] = scratch.sums.of_target(t);
    weighing.apply(outcome.tokens, outcome.features, weights);
    for (std::int64_t c = 0; c < columns; ++c) out.log_weight[c * rows + row] = weights[c];
}

}  // namespace

void score(const arrow::TextColumn& column, const FeatureSpec& spec, const LogRatioTable& table,
           const Weighing& weighing, unsigned threads, const ScoreOutput& out) {
    std::vector<std::unique_ptr<Scratch>> scratches(threads);
    const auto score_range = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        if (!scratches[thread]) scratches[thread] = std::make_unique<Scratch>(spec, table);
        for (std::int64_t row = begin; row < end; ++row) {
            score_row(*scratches[thread], column[row], weighing, row, column.size(), out);
        }
    };
    parallel::for_ranges(column.size(), threads, score_range);
}

}  // namespace dsir::ngram
