// Words and grapheme clusters against the rules of Unicode Standard Annex 29, written one by one,
// and the tokenizers that cut at white space, code points and bytes against the plain way.

#include <algorithm>

#include "fuzz_input.hpp"
#include "plain_text.hpp"
#include "text/tokenizers.hpp"
#include "unicode/segment_tables.hpp"

namespace {

using namespace dsir;
using unicode::GraphemeBreak;
using unicode::WordBreak;
using Text = std::vector<fuzz::Lowered>;

const unicode::SegmentProperties& of(const fuzz::Lowered& one) {
    return unicode::segment_properties_of(one.code_point);
}

bool is_any(auto one, auto... any) {
    return ((one == any) || ...);
}

bool extends(const fuzz::Lowered& one) {
    return is_any(of(one).word, WordBreak::extend, WordBreak::joiner);
}

/// Whether the annex has a word boundary before `at` in a piece without white space.
bool word_boundary(const Text& piece, std::size_t at) {
    if (of(piece[at - 1]).word == WordBreak::joiner && of(piece[at]).pictographic) return false;
    if (extends(piece[at])) return false;
    std::vector<WordBreak> kept{WordBreak::space};
    std::size_t place = 0;
    for (std::size_t i = 0; i < piece.size(); ++i) {
        if (i == at) place = kept.size();
        if (i == 0 || !extends(piece[i])) kept.push_back(of(piece[i]).word);
    }
    kept.push_back(WordBreak::space);
    const WordBreak a = kept[place];
    const WordBreak b = kept[place - 1];
    const WordBreak c = kept[place + 1];
    const WordBreak d = place >= 2 ? kept[place - 2] : WordBreak::space;
    using enum WordBreak;
    const auto letters = [](WordBreak one) { return is_any(one, letter, hebrew); };
    const auto in_letters = [](WordBreak one) {
        return is_any(one, mid_letter, mid_both, single_quote);
    };
    const auto in_numbers = [](WordBreak one) {
        return is_any(one, mid_number, mid_both, single_quote);
    };
    return !((letters(b) && letters(a)) || (letters(b) && in_letters(a) && letters(c)) ||
             (letters(d) && in_letters(b) && letters(a)) || (b == hebrew && a == single_quote) ||
             (b == hebrew && a == double_quote && c == hebrew) ||
             (d == hebrew && b == double_quote && a == hebrew) || (b == number && a == number) ||
             (letters(b) && a == number) || (b == number && letters(a)) ||
             (d == number && in_numbers(b) && a == number) ||
             (b == number && in_numbers(a) && c == number) ||
             (is_any(b, letter, hebrew, number, katakana, connector) && a == connector) ||
             (b == connector && is_any(a, letter, hebrew, number, katakana)));
}

/// Whether the annex has a boundary of grapheme clusters before `at`.
bool cluster_boundary(const Text& piece, std::size_t at) {
    using enum GraphemeBreak;
    const GraphemeBreak before = of(piece[at - 1]).grapheme;
    const GraphemeBreak after = of(piece[at]).grapheme;
    if (before == control || after == control) return true;
    if (before == hangul_l && is_any(after, hangul_l, hangul_v, hangul_lv, hangul_lvt)) {
        return false;
    }
    if (is_any(before, hangul_lv, hangul_v) && is_any(after, hangul_v, hangul_t)) return false;
    if (is_any(before, hangul_lvt, hangul_t) && after == hangul_t) return false;
    if (is_any(after, extend, joiner, spacing_mark) || before == prepend) return false;
    if (of(piece[at]).pictographic && before == joiner) {
        std::size_t i = at - 1;
        while (i > 0 && of(piece[i - 1]).grapheme == extend) --i;
        if (i > 0 && of(piece[i - 1]).pictographic) return false;
    }
    std::size_t regionals = 0;
    while (regionals < at && of(piece[at - 1 - regionals]).grapheme == regional) ++regionals;
    return !(after == regional && regionals % 2 == 1);
}

bool of_words(const fuzz::Lowered& one) {
    const WordBreak own = of(one).word;
    return own >= WordBreak::other_word && own <= WordBreak::connector;
}

struct Expected {
    std::vector<std::string> words, clusters, code_points, bytes, pieces;
};

void add_piece(const Text& piece, Expected& out) {
    bool of_word = false;
    for (std::size_t i = 0; i < piece.size(); ++i) {
        const std::string bytes = fuzz::encoded(piece[i].code_point);
        const bool boundary = i > 0 && word_boundary(piece, i);
        if (i == 0 || (boundary && (of_word || of_words(piece[i])))) out.words.emplace_back();
        of_word = of_words(piece[i]) || (i > 0 && of_word && !boundary);
        if (i == 0 || cluster_boundary(piece, i)) out.clusters.emplace_back();
        if (i == 0) out.pieces.emplace_back();
        out.words.back() += bytes;
        out.clusters.back() += bytes;
        out.pieces.back() += bytes;
        out.code_points.push_back(bytes);
    }
}

Expected expected_of(const Text& text) {
    Expected out;
    Text piece;
    for (const fuzz::Lowered& one : text) {
        for (const char byte : fuzz::encoded(one.code_point)) {
            const auto number = static_cast<std::uint8_t>(byte);
            const bool space = (number >= 9 && number <= 13) || (number >= 28 && number <= 32);
            if (!space) out.bytes.push_back(fuzz::encoded(number));
        }
        if (one.kind == unicode::Kind::space) {
            add_piece(piece, out);
            piece.clear();
        } else {
            piece.push_back(one);
        }
    }
    add_piece(piece, out);
    return out;
}

template <class Tokenizer>
void check(std::string_view text, const std::optional<std::vector<std::string>>& expected) {
    text::TokenBuffer buffer;
    Tokenizer tokenizer(text, buffer);
    std::vector<std::string> tokens;
    while (tokenizer.next()) {
        HOLDS(buffer.size() != 0);
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    HOLDS(tokenizer.valid() == expected.has_value());
    if (expected) HOLDS(tokens == *expected);
}

/// Spans ascend, consist of whole characters, and cover all that is no white space.
template <class Spans>
void check_spans(std::string_view text, const std::vector<fuzz::Character>& characters) {
    text::SpanBuffer buffer;
    Spans spans(text, buffer);
    std::vector<std::uint32_t> starts;
    std::vector<fuzz::Place> places;
    while (spans.next()) {
        for (std::size_t k = 0; k < buffer.starts_size; ++k) starts.push_back(buffer.starts[k]);
        for (std::size_t k = 0; k < buffer.ends_size; ++k) {
            HOLDS(places.size() < starts.size());
            places.push_back({starts[places.size()], buffer.ends[k]});
        }
    }
    HOLDS(spans.valid() && places.size() == starts.size());
    HOLDS(fuzz::cover(places, characters));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::size_t before = input.below(70);
    const std::size_t times = std::size_t{1} << input.below(3);
    const std::string once(input.rest().substr(0, 300));
    std::string all(before, 'q');
    for (std::size_t i = 0; i < times; ++i) all += once;
    const fuzz::ExactText exact(all);
    const std::string_view text = exact;
    const auto characters = fuzz::characters_of(text);
    std::optional<Expected> expected;
    if (characters) expected = expected_of(fuzz::lowered_of(*characters));
    const auto tokens = [&expected](std::vector<std::string> Expected::* which) {
        return expected ? std::optional((*expected).*which) : std::nullopt;
    };
    check<text::UnicodeWords>(text, tokens(&Expected::words));
    check<text::Graphemes>(text, tokens(&Expected::clusters));
    check<text::CodePoints>(text, tokens(&Expected::code_points));
    check<text::ByteTokens>(text, tokens(&Expected::bytes));
    check<text::Whitespace>(text, tokens(&Expected::pieces));
    if (!characters) return 0;
    check_spans<text::UnicodeWordSpans>(text, *characters);
    check_spans<text::GraphemeSpans>(text, *characters);
    check_spans<text::CodePointSpans>(text, *characters);
    check_spans<text::WhitespaceSpans>(text, *characters);
    return 0;
}
