#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "text/lower.hpp"

namespace dsir::text {

/// Whether tokens are in lower case, or as they are written.
enum class Case : std::uint8_t { lower, as_written };

/// Writes the whole document to `out`, in lower case or as it is. Returns the number of bytes, or
/// nothing if the document is not UTF-8. `out` must have lower_room(document.size()) bytes.
inline std::optional<std::size_t> write_in_case(Case letters, std::string_view document,
                                                std::uint8_t* out) {
    if (letters == Case::lower) return lower(document, out);
    if (!is_utf8(document)) return std::nullopt;
    if (!document.empty()) std::memcpy(out, document.data(), document.size());
    return document.size();
}

}  // namespace dsir::text
