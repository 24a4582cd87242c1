// WordPunct, its spans, lower-casing and the UTF-8 check against the plain way.

#include "text/wordpunct.hpp"

#include "fuzz_input.hpp"
#include "plain_text.hpp"
#include "text/lower.hpp"
#include "text/split_spaces.hpp"
#include "text/token_spans.hpp"

namespace {

using namespace dsir;

template <class Tokenizer>
std::optional<std::vector<std::string>> tokens_of(std::string_view text) {
    text::TokenBuffer buffer;
    Tokenizer tokenizer(text, buffer);
    std::vector<std::string> tokens;
    while (tokenizer.next()) {
        HOLDS(buffer.size() != 0);
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    if (!tokenizer.valid()) return std::nullopt;
    return tokens;
}

void check_spans(std::string_view text, const std::vector<fuzz::Place>& expected) {
    text::SpanBuffer buffer;
    text::WordPunctSpans spans(text, buffer);
    std::vector<std::uint32_t> starts;
    std::vector<std::uint32_t> ends;
    while (spans.next()) {
        starts.insert(starts.end(), buffer.starts.begin(),
                      buffer.starts.begin() + static_cast<std::ptrdiff_t>(buffer.starts_size));
        ends.insert(ends.end(), buffer.ends.begin(),
                    buffer.ends.begin() + static_cast<std::ptrdiff_t>(buffer.ends_size));
    }
    HOLDS(spans.valid());
    HOLDS(starts.size() == expected.size() && ends.size() == expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k) {
        HOLDS(expected[k] == fuzz::Place{starts[k], ends[k]});
    }
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        if (end > at) parts.emplace_back(text.substr(at, end - at));
        at = end + 1;
    }
    return parts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // Short texts are repeated, so that they cross the ends of blocks and stretches.
    fuzz::Input input(data, size);
    const std::size_t times = std::size_t{1} << input.below(8);
    const std::string_view once = input.rest();
    std::string all(once);
    for (std::size_t i = 1; i < times && all.size() < 8192; ++i) all += once;
    const fuzz::ExactText exact(all);
    const std::string_view text = exact;

    const auto characters = fuzz::characters_of(text);
    HOLDS(text::is_utf8(text) == characters.has_value());
    const auto tokens = tokens_of<text::WordPunct>(text);
    HOLDS(tokens.has_value() == characters.has_value());
    HOLDS(tokens_of<text::SplitSpaces>(text).has_value() == characters.has_value());
    const std::unique_ptr<std::uint8_t[]> room(new std::uint8_t[text::lower_room(text.size())]);
    const auto lowered = text::lower(text, room.get());
    HOLDS(lowered.has_value() == characters.has_value());
    if (!characters) return 0;

    std::string expected;
    for (const fuzz::Lowered& one : fuzz::lowered_of(*characters)) {
        expected += fuzz::encoded(one.code_point);
    }
    HOLDS(expected == std::string_view(reinterpret_cast<const char*>(room.get()), *lowered));
    const fuzz::PlainTokens plain = fuzz::wordpunct_tokens(*characters);
    HOLDS(*tokens == plain.tokens);
    HOLDS(fuzz::cover(plain.places, *characters));
    check_spans(text, plain.places);
    HOLDS(*tokens_of<text::SplitSpaces>(text) == split(text));
    return 0;
}
