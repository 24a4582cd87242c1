#pragma once

#include <cstdint>
#include <string_view>

namespace dsir::parquet {

/// Checks that a Parquet footer does not contradict itself or the size of its file.
///
/// - The schema is a tree, and every row group has a column chunk for each of its leaves, of the
///   same path and physical type.
/// - Numbers of rows are not negative, and those of the row groups add up to the file's.
/// - A chunk of a column without lists has as many values as its row group has rows; a chunk of a
///   column with lists has at least as many.
/// - Chunks lie between the file's magic and its footer, and no two overlap.
///
/// @param footer the FileMetaData structure in Thrift's compact protocol
/// @param data_end the offset in the file where the footer begins
/// @throws std::invalid_argument the footer is not Thrift, or one of these does not hold; the
///         message says what
void check_footer(std::string_view footer, std::int64_t data_end);

}  // namespace dsir::parquet
