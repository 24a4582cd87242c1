#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace dsir::text {

/// The lines of a block of JSON Lines, without the blank ones.
struct LineSpans {
    std::vector<std::int64_t> starts;  ///< byte offset of each line in the block
    std::vector<std::int64_t> ends;    ///< offset of its end, without newline and "\r"
    bool objects = true;     ///< whether every line, trimmed, begins with { and ends with }
    std::int64_t lines = 0;  ///< number of lines, blank ones included
};

/// Finds the lines of a block. '\n' ends a line; the last line may lack it. A line that holds
/// nothing but spaces, tabs and carriage returns is blank and is left out.
LineSpans line_spans(std::string_view block);

}  // namespace dsir::text
