#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace dsir::text {

/// Bytes [begin, end) of a text.
struct Span {
    std::size_t begin;
    std::size_t end;
};

/// Cuts a text into sentences by one plain rule, without a model or a language. White space around
/// them is left out, and so are stretches without any other character. Nothing where the text is
/// not UTF-8.
///
/// A sentence ends at a blank line; at 。 ！ ？ ｡ with the closing quotes and brackets behind them;
/// and at . ! ? … with those, where white space follows and the next letter, past opening quotes
/// and brackets, is not a lower-case one. A single point does not end one behind a capital
/// (J. Smith) or behind a title or another abbreviation that has more to come (Dr. Smith, e.g.
/// this).
std::optional<std::vector<Span>> sentence_spans(std::string_view text);

}  // namespace dsir::text
