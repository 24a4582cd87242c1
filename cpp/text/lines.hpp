#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace dsir::text {

/// The lines of a block of JSON Lines that are not blank.
struct LineSpans {
    std::vector<std::int64_t> starts;  ///< byte offset of each line
    std::vector<std::int64_t> ends;    ///< behind its last byte, without newline and "\r"
    bool objects = true;               ///< every line, trimmed, begins with { and ends with }
    std::int64_t lines = 0;            ///< how many there are, blank ones included
};

/// Finds the lines, separated by '\n' (a last line without one counts). A line of spaces, tabs and
/// carriage returns alone is blank and is left out.
LineSpans line_spans(std::string_view block);

}  // namespace dsir::text
