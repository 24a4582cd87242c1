#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dsir::parquet {

/// The header of a page, which lies before it in the file.
struct PageHeader {
    std::int64_t bytes = 0;         // Of the header itself.
    std::int32_t type = -1;         // The number in the Parquet format, like `encoding`.
    std::int32_t uncompressed = 0;  // Bytes of the page once it is decompressed.
    std::int32_t compressed = 0;    // Bytes of the page in the file.
    std::int32_t values = 0;        // With nulls.
    std::int32_t encoding = 0;      // Of the values.
    std::int32_t level_bytes = 0;   // Of levels before the values, never compressed (version 2).
    bool is_compressed = true;      // Whether the values are, if the column chunk is.
};

/// Reads the header of a page.
///
/// @param bytes what the file has from the header on
/// @return nothing if the header does not end within these bytes
/// @throws std::invalid_argument there is no header, or a size in it is negative
std::optional<PageHeader> read_page_header(std::string_view bytes);

/// Returns the bytes of the longest value of a page that is encoded plainly.
///
/// @param page the page, decompressed: 4 bytes of length before each value
/// @param count the number of values
/// @throws std::invalid_argument the values are longer than the page
std::int64_t longest_plain_value(std::string_view page, std::int64_t count);

/// Returns how often the index that is used most is used in a data page of dictionary indices.
///
/// @param page the page, decompressed, without levels of version 2
/// @param levels how many kinds of levels (version 1) the page begins with: 0, 1 or 2
/// @param distinct how many values the dictionary has
/// @throws std::invalid_argument the page ends early, or an index is not in the dictionary
std::int64_t most_uses_of_an_index(std::string_view page, int levels, std::uint32_t distinct);

}  // namespace dsir::parquet
