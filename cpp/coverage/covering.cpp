#include "coverage/covering.hpp"

#include <algorithm>

namespace dsir::coverage {
namespace {

/// An entry at a random place takes about as long as eight in a row.
constexpr std::size_t kOrder = 8;

}  // namespace

Covering::Covering(std::span<const double> wanted, std::span<const double> smoothing,
                   double largest)
    : wanted_(wanted.begin(), wanted.end()),
      smoothing_(smoothing.begin(), smoothing.end()),
      largest_(largest),
      counts_(wanted.size()),
      table_(gains().data(), 1, wanted.size()) {}

double Covering::gain_of(std::size_t bucket) const {
    const double found = static_cast<double>(counts_[bucket]) + smoothing_[bucket];
    return std::min(wanted_[bucket] / found, largest_);
}

std::vector<double> Covering::gains() const {
    std::vector<double> found(counts_.size());
    for (std::size_t b = 0; b < found.size(); ++b) found[b] = gain_of(b);
    return found;
}

void Covering::add(const ListsView& lists, const std::uint8_t* wanted) {
    for (std::int64_t document = 0; document < lists.size(); ++document) {
        if (wanted[document] == 0) continue;
        const auto buckets = lists[document];
        for (const std::uint32_t bucket : buckets) ++counts_[bucket];
        all_touched_ |= touched_.size() + buckets.size() > counts_.size() / kOrder;
        if (!all_touched_) touched_.insert(touched_.end(), buckets.begin(), buckets.end());
    }
}

void Covering::refresh() {
    if (all_touched_) {
        for (std::size_t b = 0; b < counts_.size(); ++b) table_.set(b, gain_of(b));
    } else {
        for (const std::uint32_t bucket : touched_) table_.set(bucket, gain_of(bucket));
    }
    touched_.clear();
    all_touched_ = false;
}

void Covering::mean_gains(const ListsView& lists, const std::uint8_t* wanted, unsigned threads,
                          double* means) {
    refresh();
    mean_entries(lists, table_, wanted, threads, means);
}

}  // namespace dsir::coverage
