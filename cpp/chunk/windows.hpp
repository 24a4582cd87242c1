#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "text/token_spans.hpp"

namespace dsir::chunk {

/// How documents are cut: windows of `tokens` tokens, one every `stride` tokens. 1 <= stride <=
/// tokens.
struct WindowSpec {
    std::uint64_t tokens;
    std::uint64_t stride;
};

/// A window of a document, in bytes.
struct Window {
    std::uint32_t start;
    std::uint32_t length;
};

/// Appends the windows of a document. A window reaches from the first byte of its first token to
/// the end of its last token. The first window that reaches the document's last token is the last
/// window. A document without tokens has no window. Returns false, and appends nothing, if the
/// document is not UTF-8.
///
/// `spans` must fill `buffer`; see text::WordPunctSpans.
template <class Spans>
bool append_windows(Spans& spans, const text::SpanBuffer& buffer, const WindowSpec& spec,
                    std::vector<Window>& out) {
    const std::size_t first = out.size();
    std::size_t open = first;                  // the first window whose end is not yet known
    std::uint64_t next_start = 0;              // the token that begins the next window
    std::uint64_t next_end = spec.tokens - 1;  // the token that ends the window `open`
    std::uint64_t starts_before = 0;
    std::uint64_t ends_before = 0;
    std::uint32_t end = 0;  // of the last token so far
    while (spans.next()) {
        for (; next_start - starts_before < buffer.starts_size; next_start += spec.stride) {
            out.push_back({buffer.starts[next_start - starts_before], 0});
        }
        for (; next_end - ends_before < buffer.ends_size; next_end += spec.stride) {
            out[open].length = buffer.ends[next_end - ends_before] - out[open].start;
            ++open;
        }
        if (buffer.ends_size != 0) end = buffer.ends[buffer.ends_size - 1];
        starts_before += buffer.starts_size;
        ends_before += buffer.ends_size;
    }
    if (!spans.valid()) {
        out.resize(first);
        return false;
    }
    if (out.size() == first) return true;
    const bool reached = open > first && out[open - 1].start + out[open - 1].length == end;
    if (!reached) {
        out[open].length = end - out[open].start;
        ++open;
    }
    out.resize(open);
    return true;
}

}  // namespace dsir::chunk
