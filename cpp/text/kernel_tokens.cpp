#include "text/kernel_tokens.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "text/lower.hpp"

namespace dsir::text {
namespace {

constexpr std::size_t kRoom = kStretchTokens;

/// Whether a byte is one of a character's but not its first.
bool continues(std::uint8_t byte) {
    return static_cast<std::int8_t>(byte) < static_cast<std::int8_t>(0xC0);
}

}  // namespace

KernelTokens::KernelTokens(std::string_view document, TokenBuffer& buffer, TokenizerKernel kernel,
                           Case letters)
    : document_(document), buffer_(buffer), kernel_(kernel) {
    buffer_.clear();
    buffer_.reserve(lower_room(document.size()), kRoom);
    std::uint8_t* const bytes = buffer_.bytes.get();
    valid_ = letters == Case::lower ? lower_in_place(document, bytes, left_)
                                    : write_in_case(letters, document, bytes).has_value();
    bytes[document.size()] = 0;  // Where the last token may end, no character goes on.
}

bool KernelTokens::next() {
    buffer_.starts_size = buffer_.ends_size = 0;
    const std::size_t tokens = valid_ ? ask() : 0;
    if (tokens == 0) return false;
    if (!are_good(tokens)) refuse(tokens);
    at_ = buffer_.ends[tokens - 1];
    if (left_at_ < left_.size() && left_[left_at_] < at_) lower_left(tokens);
    buffer_.starts_size = buffer_.ends_size = tokens;
    return true;
}

/// Calls the kernel, which writes to the buffer, and returns the number of tokens.
std::size_t KernelTokens::ask() {
    const std::size_t size = document_.size();
    if (at_ == size) return 0;
    const std::int64_t found = kernel_(reinterpret_cast<const std::uint8_t*>(document_.data()),
                                       static_cast<std::int64_t>(size), at_, buffer_.starts.get(),
                                       buffer_.ends.get(), static_cast<std::int64_t>(kRoom));
    if (found == kKernelRaised) throw KernelError(kernel_, kRaised);
    if (found < 0 || found > static_cast<std::int64_t>(kRoom)) {
        throw KernelError(kernel_, "returned " + std::to_string(found) +
                                       " tokens, but there is room for " + std::to_string(kRoom));
    }
    return static_cast<std::size_t>(found);
}

/// Whether the tokens are in order and consist of whole characters. The loops have no branches, so
/// that the compiler takes several tokens at once.
bool KernelTokens::are_good(std::size_t tokens) const {
    const std::uint32_t* const starts = buffer_.starts.get();
    const std::uint32_t* const ends = buffer_.ends.get();
    bool wrong = (starts[0] < at_) | (ends[0] <= starts[0]) | (ends[tokens - 1] > document_.size());
    for (std::size_t k = 1; k < tokens; ++k) {
        wrong |= (starts[k] < ends[k - 1]) | (ends[k] <= starts[k]);
    }
    if (wrong) return false;
    // They are in order, so no place is beyond the document's end.
    const std::uint8_t* const bytes = buffer_.bytes.get();
    for (std::size_t k = 0; k < tokens; ++k) {
        wrong |= continues(bytes[starts[k]]) | continues(bytes[ends[k]]);
    }
    return !wrong;
}

/// Throws KernelError for the first token that is out of order or has a part of a character.
void KernelTokens::refuse(std::size_t tokens) const {
    const auto size = static_cast<std::uint32_t>(document_.size());
    std::uint32_t before = at_;
    std::string what;
    std::size_t k = 0;
    for (; k < tokens; ++k) {
        const std::uint32_t start = buffer_.starts[k];
        const std::uint32_t end = buffer_.ends[k];
        if (start < before || end <= start || end > size) {
            what = "the bytes " + std::to_string(start) + " to " + std::to_string(end) +
                   ", which must lie in order, from " + std::to_string(before) + " to " +
                   std::to_string(size);
            break;
        }
        if (continues(buffer_.bytes[start]) || continues(buffer_.bytes[end])) {
            what = "begins or ends inside a character, at bytes " + std::to_string(start) + " to " +
                   std::to_string(end);
            break;
        }
        before = end;
    }
    throw KernelError(kernel_, "returned as token " + std::to_string(k) + " of a call " + what);
}

/// Writes the tokens that have a character of `left_` after the document in the buffer, in lower
/// case, and their places there in place of those in the document.
void KernelTokens::lower_left(std::size_t tokens) {
    std::size_t to = document_.size() + 1;
    const std::size_t room = to + lower_room(at_ - buffer_.starts[0]);
    if (room > std::numeric_limits<std::uint32_t>::max()) {
        throw KernelError(kernel_,
                          "returned tokens of a gigabyte, which have no lower case; cut shorter "
                          "ones, or leave them as written (lower=False)");
    }
    buffer_.bytes_size = to;  // What is kept if the buffer grows.
    buffer_.reserve(room, kRoom);
    std::uint32_t* const starts = buffer_.starts.get();
    std::uint8_t* const bytes = buffer_.bytes.get();
    std::size_t next = 0;  // The first token that was not looked at.
    while (left_at_ < left_.size() && left_[left_at_] < at_) {
        const std::uint32_t place = left_[left_at_++];
        // The first token that begins after the place, and the one before it.
        const std::uint32_t* const after = std::upper_bound(starts + next, starts + tokens, place);
        const auto k = static_cast<std::size_t>(after - starts) - 1;
        if (after == starts + next || place >= buffer_.ends[k]) continue;  // between tokens
        const std::uint32_t end = buffer_.ends[k];
        const std::string_view token = document_.substr(starts[k], end - starts[k]);
        while (left_at_ < left_.size() && left_[left_at_] < end) ++left_at_;
        starts[k] = static_cast<std::uint32_t>(to);
        to += lower(token, bytes + to).value_or(0);
        buffer_.ends[k] = static_cast<std::uint32_t>(to);
        next = k + 1;
    }
}

}  // namespace dsir::text
