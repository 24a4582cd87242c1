// Windows of rows against the places of the tokens, and slices of any spans against their
// definition.

#include "chunk/chunk.hpp"

#include <stdexcept>

#include "chunk/slice.hpp"
#include "fuzz_input.hpp"
#include "plain_text.hpp"
#include "text_rows.hpp"

namespace {

using namespace dsir;

/// The places of the tokens, or nothing if the text is not UTF-8.
std::optional<std::vector<fuzz::Place>> places_of(std::string_view text, bool words) {
    const auto characters = fuzz::characters_of(text);
    if (!characters) return std::nullopt;
    if (!words) return fuzz::wordpunct_tokens(*characters).places;
    text::SpanBuffer buffer;
    text::WordTokenizeSpans spans(text, buffer);
    std::vector<std::uint32_t> starts;
    std::vector<fuzz::Place> places;
    while (spans.next()) {
        for (std::size_t k = 0; k < buffer.starts_size; ++k) starts.push_back(buffer.starts[k]);
        for (std::size_t k = 0; k < buffer.ends_size; ++k) {
            places.push_back({starts[places.size()], buffer.ends[k]});
        }
    }
    return places;
}

std::int64_t count_characters(std::string_view text) {
    return static_cast<std::int64_t>(fuzz::characters_of(text)->size());
}

void check_windows(const test::Rows& rows, const chunk::Chunks& chunks,
                   const chunk::WindowSpec& spec, bool words) {
    std::size_t at = 0;
    std::vector<std::int64_t> invalid;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto places = places_of(rows[row].value_or(""), words);
        if (!places) invalid.push_back(static_cast<std::int64_t>(row));
        const std::size_t tokens = places ? places->size() : 0;
        for (std::size_t first = 0;; first += spec.stride) {
            const std::size_t last = std::min<std::size_t>(first + spec.tokens, tokens);
            const std::size_t begin = tokens == 0 ? 0 : (*places)[first].begin;
            const std::size_t end = tokens == 0 ? 0 : (*places)[last - 1].end;
            HOLDS(at < chunks.rows.size());
            HOLDS(chunks.rows[at] == static_cast<std::int64_t>(row));
            HOLDS(chunks.starts[at] == static_cast<std::int64_t>(begin));
            HOLDS(chunks.lengths[at] == static_cast<std::int64_t>(end - begin));
            ++at;
            if (last == tokens) break;
        }
    }
    HOLDS(at == chunks.rows.size() && at == chunks.starts.size() && at == chunks.lengths.size());
    HOLDS(invalid == chunks.invalid_rows);
}

void check_slices(const test::Rows& rows, const arrow::TextColumn& column,
                  const chunk::Chunks& chunks) {
    const auto size = static_cast<std::int64_t>(chunks.rows.size());
    const chunk::Slices slices = chunk::slice(
        column, {chunks.rows.data(), chunks.starts.data(), chunks.lengths.data(), size});
    HOLDS(slices.offsets.size() == chunks.rows.size() + 1);
    for (std::size_t k = 0; k < chunks.rows.size(); ++k) {
        const std::string row = rows[static_cast<std::size_t>(chunks.rows[k])].value_or("");
        const auto start = static_cast<std::size_t>(chunks.starts[k]);
        const std::string piece = row.substr(start, static_cast<std::size_t>(chunks.lengths[k]));
        const std::string found(slices.data.begin() + slices.offsets[k],
                                slices.data.begin() + slices.offsets[k + 1]);
        HOLDS(found == piece);
        if (piece.empty()) continue;
        HOLDS(slices.char_starts[k] == count_characters(row.substr(0, start)));
        HOLDS(slices.char_stops[k] == slices.char_starts[k] + count_characters(piece));
    }
}

/// Spans of arbitrary numbers are cut out correctly or refused.
void check_any_spans(const test::Rows& rows, const arrow::TextColumn& column,
                     std::vector<std::int64_t> numbers) {
    const std::size_t size = numbers.size() / 3;
    const std::int64_t* const at = numbers.data();
    chunk::Slices slices;
    try {
        slices =
            chunk::slice(column, {at, at + size, at + 2 * size, static_cast<std::int64_t>(size)});
    } catch (const std::invalid_argument&) {
        return;
    }
    for (std::size_t k = 0; k < size; ++k) {
        HOLDS(at[k] >= 0 && at[k] < static_cast<std::int64_t>(rows.size()));
        const std::string row = rows[static_cast<std::size_t>(at[k])].value_or("");
        HOLDS(at[size + k] >= 0 && at[2 * size + k] >= 0);
        HOLDS(static_cast<std::size_t>(at[size + k]) <= row.size());
        const std::string piece = row.substr(static_cast<std::size_t>(at[size + k]),
                                             static_cast<std::size_t>(at[2 * size + k]));
        HOLDS(static_cast<std::int64_t>(piece.size()) == at[2 * size + k]);
        HOLDS(piece == std::string(slices.data.begin() + slices.offsets[k],
                                   slices.data.begin() + slices.offsets[k + 1]));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const bool words = input.below(2) == 1;
    const std::uint64_t tokens = 1 + input.below(40);
    const std::uint64_t stride = 1 + input.below(static_cast<std::size_t>(tokens));
    const std::size_t layout = input.below(5);
    const unsigned threads = 1 + static_cast<unsigned>(input.below(16) == 0);
    std::vector<std::int64_t> numbers(3 * input.below(5));
    for (std::int64_t& number : numbers) {
        // Mostly near the spans that exist; sometimes any number.
        const std::uint8_t kind = input.byte();
        number = kind < 240 ? kind % 12 : input.take<std::int64_t>();
    }
    const test::Rows rows = fuzz::rows_in(input.rest());
    const auto array = fuzz::in_layout(layout, rows);
    const arrow::TextColumn column = array->column();
    const chunk::WindowSpec spec{tokens, stride};
    const auto tokenizer =
        words ? text::TokenizerKind::word_tokenize : text::TokenizerKind::wordpunct;
    const chunk::Chunks chunks = chunk::chunk(column, tokenizer, text::Form::as_is, spec, threads);
    check_windows(rows, chunks, spec, words);
    check_slices(rows, column, chunks);
    check_any_spans(rows, column, std::move(numbers));
    return 0;
}
