#include "chunk/slice.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace dsir::chunk {
namespace {

/// Whether `at` is the start or the end of the text, or the first byte of a character.
bool is_boundary(std::string_view text, std::size_t at) {
    return at == 0 || at == text.size() || (static_cast<std::uint8_t>(text[at]) & 0xC0) != 0x80;
}

std::int64_t characters(std::string_view text) {
    std::int64_t count = 0;
    for (const char byte : text) count += (static_cast<std::uint8_t>(byte) & 0xC0) != 0x80;
    return count;
}

[[noreturn]] void refuse(std::int64_t k, const char* problem) {
    throw std::invalid_argument("span " + std::to_string(k) + " " + problem);
}

/// The bytes of span k in its row. Throws std::invalid_argument if the span is not valid there.
std::string_view span_of(std::string_view text, const Spans& spans, std::int64_t k) {
    const auto size = static_cast<std::int64_t>(text.size());
    const std::int64_t start = spans.starts[k];
    const std::int64_t length = spans.lengths[k];
    if (start < 0 || start > size || length < 0 || length > size - start) {
        refuse(k, "is not within its row");
    }
    const auto begin = static_cast<std::size_t>(start);
    const auto end = static_cast<std::size_t>(start + length);
    if (!is_boundary(text, begin) || !is_boundary(text, end)) {
        refuse(k, "begins or ends inside a character");
    }
    return text.substr(begin, end - begin);
}

std::string_view row_of(const arrow::TextColumn& column, const Spans& spans, std::int64_t k) {
    const std::int64_t row = spans.rows[k];
    if (row < 0 || row >= column.size()) refuse(k, "is in a row that does not exist");
    return column[row].value_or(std::string_view{});
}

}  // namespace

Slices slice(const arrow::TextColumn& column, const Spans& spans) {
    Slices out;
    const auto size = static_cast<std::size_t>(spans.size);
    out.offsets.reserve(size + 1);
    out.offsets.push_back(0);
    for (std::int64_t k = 0; k < spans.size; ++k) {
        const std::string_view span = span_of(row_of(column, spans, k), spans, k);
        out.offsets.push_back(out.offsets.back() + static_cast<std::int64_t>(span.size()));
    }
    out.data.reserve(static_cast<std::size_t>(out.offsets.back()));
    out.char_starts.reserve(size);
    out.char_stops.reserve(size);
    std::int64_t row = -1;
    std::size_t counted_to = 0;  // bytes of this row
    std::int64_t counted = 0;    // characters in those bytes
    for (std::int64_t k = 0; k < spans.size; ++k) {
        const std::string_view text = row_of(column, spans, k);
        const std::string_view span = span_of(text, spans, k);
        const auto start = static_cast<std::size_t>(spans.starts[k]);
        if (spans.rows[k] != row || start < counted_to) {
            row = spans.rows[k];
            counted_to = 0;
            counted = 0;
        }
        counted += characters(text.substr(counted_to, start - counted_to));
        counted_to = start;
        out.data.insert(out.data.end(), span.begin(), span.end());
        out.char_starts.push_back(counted);
        out.char_stops.push_back(counted + characters(span));
    }
    return out;
}

}  // namespace dsir::chunk
