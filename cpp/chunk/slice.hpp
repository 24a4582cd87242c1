#pragma once

#include <cstdint>
#include <vector>

#include "arrow/text_column.hpp"

namespace dsir::chunk {

/// Spans of rows, in bytes. Each array has `size` entries. A view: the caller owns the arrays.
struct Spans {
    const std::int64_t* rows;
    const std::int64_t* starts;
    const std::int64_t* lengths;
    std::int64_t size;
};

/// The bytes of spans, one after the other, and where each span lies in its row, in code points.
struct Slices {
    std::vector<std::int64_t> offsets;  ///< of each span in `data`, and the end: size + 1 entries
    std::vector<std::uint8_t> data;
    std::vector<std::int64_t> char_starts;
    std::vector<std::int64_t> char_stops;
};

/// Copies spans out of a column of UTF-8. If rows come in order, with ascending starts in each row,
/// the characters of a row are counted only once.
///
/// Throws std::invalid_argument if a span is not within its row, or begins or ends inside a
/// character. In a null row only the empty span is valid.
Slices slice(const arrow::TextColumn& column, const Spans& spans);

}  // namespace dsir::chunk
