#include "text/split_spaces.hpp"

#include <cstring>

#include "text/lower.hpp"

namespace dsir::text {

SplitSpaces::SplitSpaces(std::string_view document, TokenBuffer& buffer)
    : buffer_(buffer), valid_(is_utf8(document)) {
    buffer_.clear();
    if (!valid_) return;
    buffer_.reserve(document.size() + 1, kStretchBytes);
    if (!document.empty()) std::memcpy(buffer_.bytes.get(), document.data(), document.size());
    buffer_.bytes[document.size()] = ' ';  // Every token ends at a space.
    buffer_.bytes_size = document.size() + 1;
    end_ = document.size();
}

bool SplitSpaces::next() {
    const std::uint8_t* const bytes = buffer_.bytes.get();
    std::size_t tokens = 0;
    while (at_ < end_ && tokens < kStretchBytes) {
        const std::size_t start = at_;
        while (bytes[at_] != ' ') ++at_;
        if (at_ > start) {
            buffer_.starts[tokens] = static_cast<std::uint32_t>(start);
            buffer_.ends[tokens++] = static_cast<std::uint32_t>(at_);
        }
        ++at_;
    }
    buffer_.starts_size = buffer_.ends_size = tokens;
    return tokens != 0;
}

}  // namespace dsir::text
