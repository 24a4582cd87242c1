#include "coverage/bucket_lists.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <mutex>

#include "ngram/bucket_stream.hpp"
#include "ngram/visit_entries.hpp"
#include "parallel/for_ranges.hpp"
#include "text/row_status.hpp"

namespace dsir::coverage {
namespace {

using ngram::int128;
using ngram::LogRatioTable;

/// The lists of consecutive documents.
struct Part {
    std::int64_t first = 0;  ///< number of the first document
    std::vector<std::int64_t> lengths;
    std::vector<std::uint32_t> buckets;
};

// The sum of so many entries of a table fits into 64 bits.
constexpr std::size_t kStretch = std::size_t{1} << 14;

}  // namespace

BucketLists bucket_lists(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
                         std::span<const std::int64_t> positions, unsigned threads) {
    std::vector<std::unique_ptr<ngram::BucketStream>> streams(threads);
    std::vector<Part> parts;
    std::mutex mutex;
    const auto list_range = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        if (!streams[thread]) streams[thread] = std::make_unique<ngram::BucketStream>(spec);
        Part part;
        part.first = begin;
        for (std::int64_t i = begin; i < end; ++i) {
            const std::size_t before = part.buckets.size();
            const auto document = column[positions[static_cast<std::size_t>(i)]];
            if (document && document->size() <= text::kLargestDocument) {
                const auto outcome = streams[thread]->run(
                    *document, [&part](std::span<const std::uint32_t> stretch) {
                        part.buckets.insert(part.buckets.end(), stretch.begin(), stretch.end());
                    });
                if (!outcome.valid) part.buckets.resize(before);
            }
            part.lengths.push_back(static_cast<std::int64_t>(part.buckets.size() - before));
        }
        const std::lock_guard lock(mutex);
        parts.push_back(std::move(part));
    };
    parallel::for_ranges(static_cast<std::int64_t>(positions.size()), threads, list_range);
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.first < b.first; });
    BucketLists lists;
    lists.offsets.reserve(positions.size() + 1);
    lists.offsets.push_back(0);
    for (Part& part : parts) {
        for (const std::int64_t length : part.lengths) {
            lists.offsets.push_back(lists.offsets.back() + length);
        }
        if (parts.size() == 1) {
            lists.buckets = std::move(part.buckets);
        } else {
            lists.buckets.insert(lists.buckets.end(), part.buckets.begin(), part.buckets.end());
        }
    }
    return lists;
}

void mean_entries(const ListsView& lists, const LogRatioTable& table, const std::uint8_t* wanted,
                  unsigned threads, double* gains) {
    const std::int64_t* const entries = table.groups()[0].data;
    const auto gain_of = [&](std::int64_t document) {
        std::span<const std::uint32_t> rest = lists[document];
        if (wanted[document] == 0 || rest.empty()) return 0.0;
        const auto ngrams = static_cast<double>(rest.size());
        int128 sum = 0;
        while (!rest.empty()) {
            const std::size_t size = std::min(rest.size(), kStretch);
            std::int64_t stretch = 0;
            ngram::visit_entries(rest.first(size), entries, table.buckets(),
                                 [&stretch](std::int64_t entry) { stretch += entry; });
            sum += stretch;
            rest = rest.subspan(size);
        }
        return LogRatioTable::to_double(sum) / ngrams;
    };
    parallel::for_ranges(lists.size(), threads,
                         [&](unsigned, std::int64_t begin, std::int64_t end) {
                             for (std::int64_t document = begin; document < end; ++document) {
                                 gains[document] = gain_of(document);
                             }
                         });
}

void add_counts(const ListsView& lists, const std::uint8_t* wanted, std::int64_t* counts) {
    for (std::int64_t document = 0; document < lists.size(); ++document) {
        if (wanted[document] == 0) continue;
        for (const std::uint32_t bucket : lists[document]) ++counts[bucket];
    }
}

}  // namespace dsir::coverage
