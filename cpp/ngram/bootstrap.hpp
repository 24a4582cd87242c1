#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "arrow/text_column.hpp"
#include "ngram/bucket_stream.hpp"
#include "ngram/feature_spec.hpp"
#include "sampling/poisson.hpp"

namespace dsir::ngram {

/// Counts the n-grams of a source of documents, and of replicates of the source, in one pass. In
/// each replicate every document counts a Poisson(1) number of times, which is the bootstrap. The
/// counts depend only on the documents and their row numbers, so batches may have any size and come
/// in any order.
class BootstrapCounts {
  public:
    /// Takes 8 * buckets * (replicates + 1) bytes of memory, with replicates rounded up to a
    /// multiple of kLanes.
    BootstrapCounts(const FeatureSpec& spec, const sampling::BootstrapDraw& draw,
                    std::uint32_t replicates);

    /// Adds the n-grams of the rows. `first_row` is the number, over all shards, of the column's
    /// first row. Returns the positions in the column of the rows that are not UTF-8 or too long,
    /// ascending; such rows add nothing.
    std::vector<std::int64_t> add(const arrow::TextColumn& column, std::uint64_t first_row,
                                  unsigned threads);

    /// int64[buckets]: the counts of the source, with every document once.
    const std::vector<std::int64_t>& counts() const { return counts_; }

    /// Copies the counts of a replicate to out[buckets].
    void copy_replicate(std::uint32_t replicate, std::int64_t* out) const;

    std::uint32_t replicates() const { return replicates_; }
    std::uint32_t buckets() const { return spec_.buckets; }

    /// How many replicates lie side by side. With 10,000 buckets, a block of so many replicates
    /// takes 1.3 MB and stays in a core's cache while a slab of documents is added to it.
    static constexpr std::uint32_t kLanes = 16;

  private:
    /// The n-grams that one thread found in its rows, and its scratch memory.
    struct Found {
        struct Row {
            std::uint64_t row;  ///< number over all shards
            std::size_t end;    ///< in `buckets`: where the next row begins
        };
        std::unique_ptr<BucketStream> stream;
        std::vector<std::uint32_t> buckets;
        std::vector<Row> rows;
        std::vector<std::int64_t> invalid_rows;  ///< positions in the column
    };
    void find(const arrow::TextColumn& column, std::int64_t begin, std::int64_t end,
              std::uint64_t first_row, Found& found) const;
    void add_to_block(const Found& found, std::int64_t block);
    /// Adds a document that has too many n-grams to hold, by counting them per bucket first.
    /// Returns false if the document is not UTF-8 or longer than a document may be.
    bool add_long(std::string_view document, std::uint64_t row, unsigned threads);

    std::int64_t blocks() const { return (std::int64_t{replicates_} + kLanes - 1) / kLanes; }
    std::int64_t* block_begin(std::int64_t block) {
        return blocks_.data() + static_cast<std::size_t>(block) * spec_.buckets * kLanes;
    }

    FeatureSpec spec_;
    sampling::BootstrapDraw draw_;
    std::uint32_t replicates_;
    std::vector<std::int64_t> counts_;
    std::vector<std::int64_t> blocks_;  ///< [blocks][buckets][kLanes]
};

}  // namespace dsir::ngram
