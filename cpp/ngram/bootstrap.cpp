#include "ngram/bootstrap.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "ngram/kernels.hpp"
#include "parallel/for_ranges.hpp"

namespace dsir::ngram {
namespace {

constexpr std::uint32_t kLanes = BootstrapCounts::kLanes;

/// Bytes of text whose n-grams are held at a time. An n-gram takes four bytes.
constexpr std::size_t kSlabBytes = std::size_t{4} << 20;

std::size_t text_bytes(const arrow::TextColumn& column, std::int64_t row) {
    const auto text = column[row];
    return text ? text->size() : 0;
}

/// End of the rows, from `begin` on, that make one slab. A row that is longer than a slab is a slab
/// of its own.
std::int64_t slab_end(const arrow::TextColumn& column, std::int64_t begin) {
    std::size_t bytes = text_bytes(column, begin);
    std::int64_t end = begin + 1;
    while (end < column.size()) {
        bytes += text_bytes(column, end);
        if (bytes > kSlabBytes) break;
        ++end;
    }
    return end;
}

/// How often a row is in each replicate of a block.
std::array<std::int64_t, kLanes> times_of(const sampling::BootstrapDraw& draw, std::uint64_t row,
                                          std::int64_t block) {
    std::array<std::int64_t, kLanes> times{};
    for (std::uint32_t quad = 0; quad < kLanes / 4; ++quad) {
        const auto first_quad = static_cast<std::uint32_t>(block) * (kLanes / 4);
        const auto four = sampling::bootstrap_counts(draw, row, first_quad + quad);
        std::copy(four.begin(), four.end(), times.begin() + quad * 4);
    }
    return times;
}

}  // namespace

BootstrapCounts::BootstrapCounts(const FeatureSpec& spec, const sampling::BootstrapDraw& draw,
                                 std::uint32_t replicates)
    : spec_(spec),
      draw_(draw),
      replicates_(replicates),
      counts_(spec.buckets),
      blocks_(std::size_t{(replicates + kLanes - 1) / kLanes} * kLanes * spec.buckets) {}

std::vector<std::int64_t> BootstrapCounts::add(const arrow::TextColumn& column,
                                               std::uint64_t first_row, unsigned threads) {
    std::vector<std::int64_t> invalid_rows;
    std::vector<Found> found(threads);
    for (std::int64_t begin = 0; begin < column.size();) {
        const std::int64_t end = slab_end(column, begin);
        if (text_bytes(column, begin) > kSlabBytes) {
            if (!add_long(*column[begin], first_row + static_cast<std::uint64_t>(begin), threads)) {
                invalid_rows.push_back(begin);
            }
            begin = end;
            continue;
        }
        // The threads first share out the rows and then the replicates, so no two threads add to
        // the same counts.
        parallel::for_ranges(end - begin, threads,
                             [&](unsigned thread, std::int64_t from, std::int64_t to) {
                                 find(column, begin + from, begin + to, first_row, found[thread]);
                             });
        parallel::for_ranges(blocks(), threads, [&](unsigned, std::int64_t from, std::int64_t to) {
            for (std::int64_t block = from; block < to; ++block) {
                for (const Found& part : found) add_to_block(part, block);
            }
        });
        for (Found& part : found) {
            for (const std::uint32_t bucket : part.buckets) ++counts_[bucket];
            invalid_rows.insert(invalid_rows.end(), part.invalid_rows.begin(),
                                part.invalid_rows.end());
            part.buckets.clear();
            part.rows.clear();
            part.invalid_rows.clear();
        }
        begin = end;
    }
    std::sort(invalid_rows.begin(), invalid_rows.end());
    return invalid_rows;
}

void BootstrapCounts::find(const arrow::TextColumn& column, std::int64_t begin, std::int64_t end,
                           std::uint64_t first_row, Found& found) const {
    if (!found.stream) found.stream = std::make_unique<BucketStream>(spec_);
    const auto take = [&found](std::span<const std::uint32_t> buckets) {
        found.buckets.insert(found.buckets.end(), buckets.begin(), buckets.end());
    };
    for (std::int64_t row = begin; row < end; ++row) {
        const auto document = column[row];
        if (!document) continue;
        const std::size_t before = found.buckets.size();
        if (found.stream->run(*document, take).valid) {
            found.rows.push_back(
                {first_row + static_cast<std::uint64_t>(row), found.buckets.size()});
        } else {
            found.buckets.resize(before);
            found.invalid_rows.push_back(row);
        }
    }
}

void BootstrapCounts::add_to_block(const Found& found, std::int64_t block) {
    std::int64_t* const counts = block_begin(block);
    std::size_t begin = 0;
    for (const Found::Row& row : found.rows) {
        const auto times = times_of(draw_, row.row, block);
        for (std::size_t i = begin; i < row.end; ++i) {
            std::int64_t* const at = counts + std::size_t{found.buckets[i]} * kLanes;
            for (std::uint32_t lane = 0; lane < kLanes; ++lane) at[lane] += times[lane];
        }
        begin = row.end;
    }
}

bool BootstrapCounts::add_long(std::string_view document, std::uint64_t row, unsigned threads) {
    if (document.size() > text::kLargestDocument) return false;
    std::vector<std::int64_t> own(spec_.buckets);
    BucketStream stream(spec_);
    const auto add = [&own](std::span<const std::uint32_t> buckets) {
        for (const std::uint32_t bucket : buckets) ++own[bucket];
    };
    if (!stream.run(document, add).valid) return false;
    parallel::for_ranges(blocks(), threads, [&](unsigned, std::int64_t from, std::int64_t to) {
        for (std::int64_t block = from; block < to; ++block) {
            const auto times = times_of(draw_, row, block);
            std::int64_t* at = block_begin(block);
            for (std::uint32_t bucket = 0; bucket < spec_.buckets; ++bucket, at += kLanes) {
                if (own[bucket] == 0) continue;
                for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
                    at[lane] += times[lane] * own[bucket];
                }
            }
        }
    });
    for (std::uint32_t bucket = 0; bucket < spec_.buckets; ++bucket) counts_[bucket] += own[bucket];
    return true;
}

void BootstrapCounts::copy_replicate(std::uint32_t replicate, std::int64_t* out) const {
    const std::size_t block = replicate / kLanes;
    const std::int64_t* from = blocks_.data() + block * spec_.buckets * kLanes + replicate % kLanes;
    for (std::uint32_t bucket = 0; bucket < spec_.buckets; ++bucket, from += kLanes) {
        out[bucket] = *from;
    }
}

}  // namespace dsir::ngram
