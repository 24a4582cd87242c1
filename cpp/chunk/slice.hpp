#pragma once

#include <cstdint>
#include <vector>

#include "arrow/text_column.hpp"

namespace dsir::chunk {

/// Spans of rows, in bytes; the arrays have `size` entries each.
struct Spans {
    const std::int64_t* rows;
    const std::int64_t* starts;
    const std::int64_t* lengths;
    std::int64_t size;
};

/// The bytes of spans, one after the other, and where each lies in its row in code points.
struct Slices {
    std::vector<std::int64_t> offsets;  ///< of each in `data`, and the end: size + 1 entries
    std::vector<std::uint8_t> data;
    std::vector<std::int64_t> char_starts;
    std::vector<std::int64_t> char_stops;
};

/// Copies spans out of a column of UTF-8. Characters are counted once from span to span where the
/// rows come in order, each with ascending starts.
///
/// Throws std::invalid_argument where a span is not within its row or begins or ends inside a
/// character. A null row has the empty span only.
Slices slice(const arrow::TextColumn& column, const Spans& spans);

}  // namespace dsir::chunk
