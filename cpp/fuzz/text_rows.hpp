#pragma once

// Columns of text from the bytes of an input. The byte FE, which UTF-8 never contains, ends a row.
// A row that is the byte FF is null.

#include <memory>

#include "fuzz_input.hpp"
#include "tests/text_array.hpp"

namespace dsir::fuzz {

inline test::Rows rows_in(std::string_view bytes) {
    test::Rows rows;
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t end = std::min(bytes.find('\xFE', at), bytes.size());
        const std::string_view row = bytes.substr(at, end - at);
        rows.push_back(row == "\xFF" ? test::Row() : test::Row(std::string(row)));
        at = end + 1;
    }
    return rows;
}

/// The rows in one of the five layouts that Arrow has for text. `which` is 0 to 4.
inline std::unique_ptr<test::TextArray> in_layout(std::size_t which, const test::Rows& rows) {
    switch (which) {
        case 0:
            return test::TextArray::strings(rows, "u");
        case 1:
            return test::TextArray::strings(rows, "U");
        case 2:
            return test::TextArray::views(rows, 1);
        case 3:
            return test::TextArray::views(rows, 3);
        default:
            break;
    }
    std::vector<std::optional<std::int32_t>> indices;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        indices.push_back(static_cast<std::int32_t>(rows.size() - 1 - i));
    }
    return test::TextArray::dictionary(
        "i", indices, test::TextArray::strings(test::Rows(rows.rbegin(), rows.rend())));
}

}  // namespace dsir::fuzz
