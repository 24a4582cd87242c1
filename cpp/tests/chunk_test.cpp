#include "chunk/chunk.hpp"

#include <algorithm>
#include <memory>

#include "check.hpp"
#include "chunk/slice.hpp"
#include "text/token_buffer.hpp"
#include "text/wordpunct.hpp"
#include "text_array.hpp"
#include "unicode/utf8.hpp"

// Spans are compared with the tokenizer's tokens (a span that is tokenized again gives its token)
// and with a walk over the characters. Windows and slices are compared with their definitions.

namespace {

using dsir::chunk::Chunks;
using dsir::chunk::WindowSpec;
using dsir::test::Random;
using dsir::test::Row;
using dsir::test::Rows;
using dsir::test::TextArray;
using dsir::text::SpanBuffer;
using dsir::text::WordPunctSpans;
using dsir::unicode::Kind;
using dsir::unicode::properties_of;
using Span = std::pair<std::size_t, std::size_t>;
using Spans = std::vector<Span>;

/// The spans of a UTF-8 text, one character at a time.
Spans plain_spans(std::string_view text) {
    Spans spans;
    Kind open = Kind::space;
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(text.data());
    const std::uint8_t* const end = begin + text.size();
    for (const std::uint8_t* at = begin; at < end;) {
        const auto decoded = dsir::unicode::decode_utf8(at, end);
        const auto start = static_cast<std::size_t>(at - begin);
        at += decoded.length;
        // U+0130 becomes `i` and a combining dot. What continues with the dot is not a new token.
        const bool dotted = decoded.code_point == 0x130;
        const Kind kind = dotted ? Kind::word : Kind{properties_of(decoded.code_point).kind};
        if (kind != Kind::space && kind != open) spans.emplace_back(start, start);
        if (kind != Kind::space) spans.back().second = start + decoded.length;
        open = dotted ? Kind::punctuation : kind;
    }
    return spans;
}

/// The spans that the kernel finds in bytes that end where their memory ends. None if not UTF-8.
Spans found_spans(std::string_view text, bool& valid) {
    const std::unique_ptr<char[]> exact(new char[text.size()]);
    if (!text.empty()) text.copy(exact.get(), text.size());
    SpanBuffer buffer;
    WordPunctSpans spans({exact.get(), text.size()}, buffer);
    std::vector<std::size_t> starts;
    std::vector<std::size_t> ends;
    while (spans.next()) {
        CHECK(buffer.starts_size + buffer.ends_size > 0);
        CHECK(buffer.starts_size <= SpanBuffer::kMost && buffer.ends_size <= SpanBuffer::kMost);
        starts.insert(starts.end(), buffer.starts.data(),
                      buffer.starts.data() + buffer.starts_size);
        ends.insert(ends.end(), buffer.ends.data(), buffer.ends.data() + buffer.ends_size);
    }
    valid = spans.valid();
    if (!valid) return {};
    CHECK(!spans.next());
    CHECK_EQUAL_FOR(text.substr(0, 200), starts.size(), ends.size());
    Spans found;
    for (std::size_t k = 0; k < std::min(starts.size(), ends.size()); ++k) {
        found.emplace_back(starts[k], ends[k]);
    }
    return found;
}

std::vector<std::string> tokens_of(std::string_view text, bool& valid) {
    dsir::text::TokenBuffer buffer;
    dsir::text::WordPunct tokenizer(text, buffer);
    std::vector<std::string> tokens;
    while (tokenizer.next()) {
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    valid = tokenizer.valid();
    return tokens;
}

std::string random_text(Random& random, std::size_t length, bool dotted) {
    static const std::vector<std::string> pieces = {
        "a",      "Z9_",    " ",      "\n",     "!?",           "word ",      ", ",
        "\u00e9", "\u03a3", "\u0307", "\u3000", "\u4e2d\u6587", "\U0001F600", "\u0130"};
    std::string text;
    while (text.size() < length) {
        const std::string& piece = pieces[random.below(pieces.size() - (dotted ? 0 : 1))];
        const std::size_t times = random.below(9) == 0 ? 1 + random.below(80) : 1;
        for (std::size_t i = 0; i < times; ++i) text += piece;
    }
    return text;
}

TEST(spans_of_random_text) {
    Random random(1);
    for (int i = 0; i < dsir::test::rounds(2000); ++i) {
        const bool dotted = i % 2 == 0;
        const std::string text =
            random_text(random, random.below(i % 40 == 0 ? 9000 : 200), dotted);
        bool valid = false;
        const Spans found = found_spans(text, valid);
        CHECK(valid);
        CHECK_EQUAL_FOR(text.substr(0, 300), found == plain_spans(text), true);
        if (dotted) continue;
        // Spans and tokens correspond one to one. (A sigma may be final in one and not in the
        // other, but a span is one token all the same.)
        const auto tokens = tokens_of(text, valid);
        CHECK_EQUAL(found.size(), tokens.size());
        for (const auto& [start, end] : found) {
            CHECK_EQUAL(tokens_of(text.substr(start, end - start), valid).size(), 1);
        }
    }
}

TEST(spans_of_random_bytes) {
    Random random(2);
    long valid_texts = 0;
    for (int i = 0; i < 4000; ++i) {
        std::string text = random_text(random, random.below(150), true);
        for (std::size_t damage = random.below(4); damage > 0 && !text.empty(); --damage) {
            text[random.below(text.size())] = static_cast<char>(random.below(256));
        }
        bool valid = false;
        bool expected = false;
        const Spans found = found_spans(text, valid);
        (void)tokens_of(text, expected);
        CHECK_EQUAL_FOR(text, valid, expected);
        if (valid) CHECK(found == plain_spans(text));
        valid_texts += valid;
    }
    CHECK(valid_texts > 400 && valid_texts < 3600);
}

Chunks chunks_of(const Rows& rows, const WindowSpec& spec, unsigned threads = 1) {
    const auto array = TextArray::strings(rows);
    return dsir::chunk::chunk(array->column(), dsir::text::TokenizerKind::wordpunct,
                              dsir::text::Form::as_is, spec, threads);
}

TEST(windows_by_their_definition) {
    Random random(3);
    for (int i = 0; i < 600; ++i) {
        const std::uint64_t tokens = 1 + random.below(i % 3 == 0 ? 200 : 8);
        const std::uint64_t stride = 1 + random.below(tokens);
        const std::string text = random_text(random, random.below(i % 20 == 0 ? 9000 : 120), true);
        const Chunks chunks = chunks_of({text}, {tokens, stride});
        const Spans spans = plain_spans(text);
        std::vector<std::int64_t> starts;
        std::vector<std::int64_t> lengths;
        for (std::size_t first = 0; first < spans.size(); first += stride) {
            const std::size_t last = std::min<std::size_t>(first + tokens, spans.size()) - 1;
            starts.push_back(static_cast<std::int64_t>(spans[first].first));
            lengths.push_back(static_cast<std::int64_t>(spans[last].second - spans[first].first));
            if (last + 1 == spans.size()) break;
        }
        if (spans.empty()) starts = lengths = {0};
        CHECK_EQUAL_FOR(text.substr(0, 300), chunks.starts, starts);
        CHECK_EQUAL_FOR(text.substr(0, 300), chunks.lengths, lengths);
        CHECK_EQUAL(chunks.rows, std::vector<std::int64_t>(starts.size(), 0));
        if (stride == tokens && !spans.empty()) {
            CHECK_EQUAL(starts.size(), (spans.size() + tokens - 1) / tokens);
        }
    }
}

TEST(every_row_is_there_for_any_number_of_threads) {
    Random random(4);
    Rows rows = {std::nullopt, "", " \n", "\xff", "a \xc3"};
    for (int i = 0; i < 200; ++i) {
        std::string text = random_text(random, random.below(i % 30 == 0 ? 5000 : 100), true);
        const std::size_t fate = random.below(8);
        if (fate == 0) text += "\xff";
        rows.push_back(fate == 1 ? Row() : Row(text));
    }
    const Chunks one = chunks_of(rows, {5, 3});
    CHECK(std::is_sorted(one.rows.begin(), one.rows.end()));
    std::vector<std::int64_t> invalid;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const auto at = static_cast<std::int64_t>(row);
        CHECK(std::binary_search(one.rows.begin(), one.rows.end(), at));
        bool valid = true;
        if (rows[row]) (void)tokens_of(*rows[row], valid);
        if (!valid) invalid.push_back(at);
    }
    CHECK_EQUAL(one.invalid_rows, invalid);
    for (const unsigned threads : {2U, 3U, 7U}) {
        const Chunks many = chunks_of(rows, {5, 3}, threads);
        CHECK(many.rows == one.rows && many.starts == one.starts);
        CHECK(many.lengths == one.lengths && many.invalid_rows == one.invalid_rows);
    }
    CHECK(chunks_of({}, {5, 3}).rows.empty());
}

TEST(tokens_made_elsewhere_have_no_windows) {
    const auto array = TextArray::strings({"a b"});
    CHECK_THROWS(std::invalid_argument, "one of whole texts",
                 dsir::chunk::chunk(array->column(), dsir::text::TokenizerKind::split,
                                    dsir::text::Form::as_is, {1, 1}, 1));
}

TEST(slices_of_every_layout) {
    const Rows rows = {"na\u00efve \U0001F600 text that is no short one", std::nullopt, "",
                       "\u4e2d\u6587", "plain"};
    const std::vector<std::int64_t> row = {0, 0, 0, 1, 2, 3, 3, 4, 0};
    const std::vector<std::int64_t> start = {0, 2, 7, 0, 0, 0, 3, 1, 0};
    const std::vector<std::int64_t> length = {4, 2, 4, 0, 0, 3, 3, 4, 6};
    const auto check = [&](const TextArray& array) {
        const auto slices = dsir::chunk::slice(
            array.column(), {row.data(), start.data(), length.data(), std::ssize(row)});
        CHECK_EQUAL(std::string(slices.data.begin(), slices.data.end()),
                    "na\u00ef\u00ef\U0001F600\u4e2d\u6587lainna\u00efve");
        CHECK_EQUAL(slices.offsets, std::vector<std::int64_t>{0, 4, 6, 10, 10, 10, 13, 16, 20, 26});
        CHECK_EQUAL(slices.char_starts, std::vector<std::int64_t>{0, 2, 6, 0, 0, 0, 1, 1, 0});
        CHECK_EQUAL(slices.char_stops, std::vector<std::int64_t>{3, 3, 7, 0, 0, 1, 2, 5, 5});
    };
    check(*TextArray::strings(rows));
    check(*TextArray::strings(rows, "U"));
    check(*TextArray::views(rows));
    const std::vector<std::optional<std::int8_t>> indices = {0, std::nullopt, 2, 3, 4};
    check(*TextArray::dictionary<std::int8_t>("c", indices, TextArray::strings(rows)));
}

TEST(slices_that_are_refused) {
    const auto array = TextArray::strings({"\u00e9t\u00e9", std::nullopt});
    const auto slice = [&](std::int64_t row, std::int64_t start, std::int64_t length) {
        return dsir::chunk::slice(array->column(), {&row, &start, &length, 1});
    };
    constexpr std::int64_t kHuge = INT64_MAX;
    CHECK_EQUAL(slice(0, 0, 5).char_stops[0], 3);
    CHECK_EQUAL(slice(0, 5, 0).char_starts[0], 3);
    for (const std::int64_t row : {std::int64_t{-1}, std::int64_t{2}, kHuge}) {
        CHECK_THROWS(std::invalid_argument, "a row that does not exist", slice(row, 0, 0));
    }
    for (const Span& span : {Span(0, 6), Span(6, 0), Span(2, kHuge), Span(kHuge, kHuge)}) {
        const auto start = static_cast<std::int64_t>(span.first);
        const auto length = static_cast<std::int64_t>(span.second);
        CHECK_THROWS(std::invalid_argument, "not within its row", slice(0, start, length));
    }
    CHECK_THROWS(std::invalid_argument, "not within its row", slice(0, -1, 1));
    CHECK_THROWS(std::invalid_argument, "not within its row", slice(0, 2, -1));
    CHECK_THROWS(std::invalid_argument, "not within its row", slice(1, 0, 1));
    CHECK_THROWS(std::invalid_argument, "inside a character", slice(0, 1, 2));
    CHECK_THROWS(std::invalid_argument, "inside a character", slice(0, 0, 1));
}

}  // namespace
