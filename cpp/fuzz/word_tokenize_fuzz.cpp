// WordTokenize: its tokens are the visible characters in order and in lower case, and its spans
// cover them. (tests/core/test_word_tokens.py compares the tokens with NLTK's.)

#include "text/word_tokenize.hpp"

#include "fuzz_input.hpp"
#include "plain_text.hpp"
#include "text/word_spans.hpp"

namespace {

using namespace dsir;

std::optional<std::vector<std::string>> tokens_of(std::string_view text) {
    text::TokenBuffer buffer;
    text::WordTokenize tokenizer(text, buffer);
    std::vector<std::string> tokens;
    while (tokenizer.next()) {
        HOLDS(buffer.size() != 0);
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    if (!tokenizer.valid()) return std::nullopt;
    return tokens;
}

/// `` and '' may stand for one quotation mark, and for each other.
void check_order(const std::vector<std::string>& tokens, std::string_view visible) {
    for (const std::string& token : tokens) {
        HOLDS(!token.empty());
        if ((token == "``" || token == "''") && visible.starts_with('"')) {
            visible.remove_prefix(1);
            continue;
        }
        if (token == "``" && visible.starts_with("''")) {
            visible.remove_prefix(2);
            continue;
        }
        HOLDS(visible.starts_with(token));
        visible.remove_prefix(token.size());
    }
    HOLDS(visible.empty());
}

std::vector<fuzz::Place> places_of(std::string_view text) {
    text::SpanBuffer buffer;
    text::WordTokenizeSpans spans(text, buffer);
    std::vector<std::uint32_t> starts;
    std::vector<std::uint32_t> ends;
    while (spans.next()) {
        starts.insert(starts.end(), buffer.starts.begin(),
                      buffer.starts.begin() + static_cast<std::ptrdiff_t>(buffer.starts_size));
        ends.insert(ends.end(), buffer.ends.begin(),
                    buffer.ends.begin() + static_cast<std::ptrdiff_t>(buffer.ends_size));
    }
    HOLDS(spans.valid());
    HOLDS(starts.size() == ends.size());
    std::vector<fuzz::Place> places;
    for (std::size_t k = 0; k < starts.size(); ++k) places.push_back({starts[k], ends[k]});
    return places;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::size_t times = std::size_t{1} << input.below(8);
    const std::string_view once = input.rest();
    std::string all(once);
    for (std::size_t i = 1; i < times && all.size() < 8192; ++i) all += once;
    const fuzz::ExactText exact(all);
    const std::string_view text = exact;

    const auto characters = fuzz::characters_of(text);
    const auto tokens = tokens_of(text);
    HOLDS(tokens.has_value() == characters.has_value());
    if (!characters) {
        text::SpanBuffer buffer;
        text::WordTokenizeSpans spans(text, buffer);
        while (spans.next()) {
        }
        HOLDS(!spans.valid());
        return 0;
    }
    std::string visible;
    bool two_of_one = false;
    for (const fuzz::Lowered& one : fuzz::lowered_of(*characters)) {
        two_of_one = two_of_one || one.second;
        if (one.kind != unicode::Kind::space) visible += fuzz::encoded(one.code_point);
    }
    check_order(*tokens, visible);
    const std::vector<fuzz::Place> places = places_of(text);
    HOLDS(fuzz::cover(places, *characters));
    HOLDS(two_of_one ? places.size() <= tokens->size() : places.size() == tokens->size());
    return 0;
}
