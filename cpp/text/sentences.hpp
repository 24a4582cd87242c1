#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace dsir::text {

/// The bytes [begin, end) of a text.
struct Span {
    std::size_t begin;
    std::size_t end;
};

/// Cuts a text into sentences by one simple rule, which needs no model and knows no language.
/// Returns nothing if the text is not UTF-8. White space around a sentence is left out, and so is
/// text that is only white space.
///
/// A sentence ends
///
///     - at a blank line;
///     - after 。 ！ ？ ｡ and the closing quotes and brackets that follow;
///     - after . ! ? … and the closing quotes and brackets that follow, if white space comes next
///     and
///       the first letter after it (past opening quotes and brackets) is not in lower case.
///
/// A single full stop does not end a sentence after a single capital letter (J. Smith), or after a
/// title or another abbreviation that something follows (Dr. Smith, e.g. this).
std::optional<std::vector<Span>> sentence_spans(std::string_view text);

}  // namespace dsir::text
