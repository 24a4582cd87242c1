#include <array>
#include <span>
#include <vector>

#include "ngram/score_rows.hpp"
#include "ngram/score_together.hpp"
#include "ngram/visit_entries.hpp"
#include "simd/row_sums.hpp"

namespace dsir::ngram {
namespace {

/// Adds up the table's entries for a document. Use one per thread.
///
/// For each group of targets the code goes over the buckets of a stretch once, with the sums in
/// registers.
class Sums {
  public:
    Sums(const LogRatioTable& table, const Weighing& weighing)
        : table_(table),
          weighing_(weighing),
          add_rows_(simd::add_rows_kernel(simd::active_level())),
          sums_(table.groups().size() * LogRatioTable::kGroup) {}

    BucketStream::Outcome take(BucketStream& stream, std::string_view document) {
        start();
        if (table_.targets() > 1) {
            return stream.run(
                document, [this](std::span<const std::uint32_t> buckets) { add_several(buckets); });
        }
        int128 sum = 0;
        const auto outcome = stream.run(
            document, [&](std::span<const std::uint32_t> buckets) { sum += sum_of_one(buckets); });
        sums_[0] = sum;
        return outcome;
    }

    void start() { std::fill(sums_.begin(), sums_.end(), 0); }

    void add(std::span<const std::uint32_t> buckets) {
        if (table_.targets() > 1) {
            add_several(buckets);
        } else {
            sums_[0] += sum_of_one(buckets);
        }
    }

    void finish(const BucketStream::Outcome& outcome, std::vector<double>& weights) {
        weights.resize(table_.targets());
        for (std::size_t t = 0; t < weights.size(); ++t) {
            weights[t] = LogRatioTable::to_double(sums_[t]);
        }
        weighing_.apply(outcome.tokens, outcome.features, weights.data());
    }

  private:
    std::int64_t sum_of_one(std::span<const std::uint32_t> buckets) const {
        std::int64_t stretch = 0;
        if (const EntryCodes& codes = table_.codes(); !codes.empty()) {
            const std::int64_t* const values = codes.values();
            visit_entries(buckets, codes.codes(), table_.buckets(),
                          [&stretch, values](std::uint16_t code) { stretch += values[code]; });
            return stretch;
        }
        visit_entries(buckets, table_.groups()[0].data, table_.buckets(),
                      [&stretch](std::int64_t entry) { stretch += entry; });
        return stretch;
    }

    void add_several(std::span<const std::uint32_t> buckets) {
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
    const Weighing& weighing_;
    simd::AddRows add_rows_;
    std::vector<int128> sums_;  ///< by target, padded like the groups
};

/// The same sums, for score_together.
class SumsOfPart final : public DocumentScorer {
  public:
    SumsOfPart(const LogRatioTable& table, const Weighing& weighing) : sums_(table, weighing) {}
    void start() override { sums_.start(); }
    void add(std::span<const std::uint32_t> buckets) override { sums_.add(buckets); }
    void finish(const BucketStream::Outcome& outcome, std::vector<double>& weights) override {
        sums_.finish(outcome, weights);
    }

  private:
    Sums sums_;
};

}  // namespace

ScorePart part_of(const FeatureSpec& spec, const LogRatioTable& table, const Weighing& weighing) {
    return {spec, weighing.columns(),
            [&table, &weighing] { return std::make_unique<SumsOfPart>(table, weighing); }};
}

void score(const arrow::TextColumn& column, const FeatureSpec& spec, const LogRatioTable& table,
           const Weighing& weighing, unsigned threads, const ScoreOutput& out,
           const TokenWatches* watches) {
    score_rows(
        column, spec, weighing.columns(), threads, out, [&] { return Sums(table, weighing); },
        watches);
}

}  // namespace dsir::ngram
