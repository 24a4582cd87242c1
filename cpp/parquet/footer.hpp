#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace dsir::parquet {

/// What a checked footer says of one column chunk.
struct ColumnChunk {
    std::int64_t start;   // Offset in the file of the first page.
    std::int64_t values;  // With nulls.
    std::int32_t codec;   // How pages are compressed: the number in the Parquet format.
    std::int64_t bytes;   // Of all pages, in the file.
};

/// What the schema says of a column that has values: a leaf of the tree of columns.
struct Leaf {
    std::uint32_t column = 0;  // The column of the table that the leaf is in.
    std::int32_t type = 0;     // The physical type: the number in the Parquet format.
    std::int32_t length = 0;   // Bytes of a value of a type of fixed length.
    bool repeated = false;     // Whether the column or a parent is a list.
    bool nullable = false;     // Whether pages say which values are there.
};

/// A Parquet footer that contradicts neither itself nor the size of its file.
///
/// - The schema is a tree, and every row group has a column chunk for each of its leaves, of the
///   same path and physical type.
/// - Numbers of rows are not negative, and those of the row groups add up to the file's.
/// - A chunk of a column without lists has as many values as its row group has rows; a chunk of a
///   column with lists has at least as many.
/// - Chunks lie between the file's magic and its footer, and no two overlap.
class Footer {
  public:
    /// @param footer the FileMetaData structure in Thrift's compact protocol
    /// @param data_end the offset in the file where the footer begins
    /// @throws std::invalid_argument the footer is not Thrift, or contradicts itself; the message
    ///         says how
    Footer(std::string_view footer, std::int64_t data_end);

    const std::vector<Leaf>& leaves() const { return leaves_; }

    /// The column chunks of a row group, one for each leaf.
    ///
    /// @throws std::invalid_argument there is no such row group
    std::span<const ColumnChunk> chunks(std::size_t group) const;

  private:
    std::vector<Leaf> leaves_;
    std::size_t groups_ = 0;
    std::vector<ColumnChunk> chunks_;
};

}  // namespace dsir::parquet
