#include "text/lines.hpp"

namespace dsir::text {

LineSpans line_spans(std::string_view block) {
    LineSpans spans;
    std::size_t at = 0;
    while (at < block.size()) {
        const std::size_t newline = block.find('\n', at);
        const std::size_t end = newline == std::string_view::npos ? block.size() : newline;
        std::string_view line = block.substr(at, end - at);
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first != std::string_view::npos) {
            const std::size_t last = line.find_last_not_of(" \t\r");
            spans.objects = spans.objects && line[first] == '{' && line[last] == '}';
            if (line.back() == '\r') line.remove_suffix(1);
            spans.starts.push_back(static_cast<std::int64_t>(at));
            spans.ends.push_back(static_cast<std::int64_t>(at + line.size()));
        }
        ++spans.lines;
        at = end + 1;
    }
    return spans;
}

}  // namespace dsir::text
