// The places of lines (JSON Lines) and of sentences.

#include "text/lines.hpp"

#include "fuzz_input.hpp"
#include "plain_text.hpp"
#include "text/sentences.hpp"

namespace {

using namespace dsir;

bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

void check_lines(std::string_view block) {
    const text::LineSpans spans = text::line_spans(block);
    std::size_t row = 0;
    std::int64_t lines = 0;
    bool objects = true;
    for (std::size_t at = 0; at < block.size(); ++lines) {
        const std::size_t end = std::min(block.find('\n', at), block.size());
        std::string_view line = block.substr(at, end - at);
        if (!is_blank(line)) {
            HOLDS(row < spans.starts.size());
            if (line.ends_with('\r')) line.remove_suffix(1);
            HOLDS(spans.starts[row] == static_cast<std::int64_t>(at));
            HOLDS(spans.ends[row] == static_cast<std::int64_t>(at + line.size()));
            while (is_blank(line.substr(0, 1))) line.remove_prefix(1);
            while (is_blank(line.substr(line.size() - 1))) line.remove_suffix(1);
            objects = objects && line.front() == '{' && line.back() == '}';
            ++row;
        }
        at = end + 1;
    }
    HOLDS(spans.starts.size() == row && spans.ends.size() == row);
    HOLDS(spans.lines == lines && spans.objects == objects);
}

void check_sentences(std::string_view text) {
    const auto spans = text::sentence_spans(text);
    const auto characters = fuzz::characters_of(text);
    HOLDS(spans.has_value() == characters.has_value());
    if (!spans) return;
    std::vector<fuzz::Place> places;
    for (const text::Span span : *spans) places.push_back({span.begin, span.end});
    HOLDS(fuzz::cover(places, *characters));
    for (const fuzz::Place& place : places) {
        const auto inside = fuzz::characters_of(text.substr(place.begin, place.end - place.begin));
        HOLDS(fuzz::kind_of(inside->front().code_point) != unicode::Kind::space);
        HOLDS(fuzz::kind_of(inside->back().code_point) != unicode::Kind::space);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const fuzz::ExactText text(fuzz::Input(data, size).rest());
    check_lines(text);
    check_sentences(text);
    return 0;
}
