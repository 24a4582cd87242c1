#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coverage/bucket_lists.hpp"
#include "ngram/log_ratio_table.hpp"

namespace dsir::coverage {

/// What each n-gram pays, by how often the documents that are selected so far have it:
/// min(wanted / (count + smoothing), largest).
class Covering {
  public:
    /// Nothing is selected. Both spans have an entry a bucket; `wanted` is 0 or more, `smoothing`
    /// is above 0, and `largest` is below LogRatioTable::kLargest.
    Covering(std::span<const double> wanted, std::span<const double> smoothing, double largest);

    Covering(Covering&&) = default;
    Covering(const Covering&) = delete;

    std::size_t buckets() const { return counts_.size(); }

    /// What each n-gram pays.
    std::vector<double> gains() const;

    /// Sets means[documents] to the mean of what each document's n-grams pay; see mean_entries().
    void mean_gains(const ListsView& lists, const std::uint8_t* wanted, unsigned threads,
                    double* means);

    /// Counts the n-grams of the documents that are `wanted`, one byte each.
    void add(const ListsView& lists, const std::uint8_t* wanted);

  private:
    double gain_of(std::size_t bucket) const;
    void refresh();

    std::vector<double> wanted_;
    std::vector<double> smoothing_;
    double largest_;
    std::vector<std::int64_t> counts_;
    ngram::LogRatioTable table_;
    std::vector<std::uint32_t> touched_;  ///< buckets whose entries are out of date
    bool all_touched_ = false;            ///< so many that the whole table is
};

}  // namespace dsir::coverage
