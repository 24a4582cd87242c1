#include "text/written_wordpunct.hpp"

#include <algorithm>
#include <cstring>

namespace dsir::text {

WrittenWordPunct::WrittenWordPunct(std::string_view document, TokenBuffer& buffer)
    : buffer_(buffer), spans_(document, places_, Case::as_written) {
    buffer_.clear();
    buffer_.reserve(document.size(), SpanBuffer::kMost + 1);
    if (!document.empty()) std::memcpy(buffer_.bytes.get(), document.data(), document.size());
    buffer_.bytes_size = document.size();
}

bool WrittenWordPunct::next() {
    std::uint32_t* const starts = buffer_.starts.get();
    const std::size_t open = buffer_.starts_size - buffer_.ends_size;  // 0 or 1
    if (open == 1) starts[0] = starts[buffer_.starts_size - 1];
    buffer_.starts_size = open;
    buffer_.ends_size = 0;
    // A stretch without an end begins at most one token, and only if none is open.
    while (buffer_.ends_size == 0 && spans_.next()) {
        std::copy_n(places_.starts.data(), places_.starts_size, starts + buffer_.starts_size);
        buffer_.starts_size += places_.starts_size;
        std::copy_n(places_.ends.data(), places_.ends_size, buffer_.ends.get());
        buffer_.ends_size = places_.ends_size;
    }
    return buffer_.ends_size != 0;
}

}  // namespace dsir::text
