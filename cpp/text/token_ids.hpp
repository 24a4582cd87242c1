#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "text/token_buffer.hpp"

namespace dsir::text {

/// Takes a document that is no text but the numbers of tokens, each in four bytes, little-endian.
/// A token is the four bytes of its number. Used like WordPunct. Memory: a stretch.
class TokenIds {
  public:
    static constexpr std::size_t kIdBytes = 4;

    /// Starts on a document of up to 2 GiB. `document` and `buffer` must outlive the tokenizer.
    TokenIds(std::string_view document, TokenBuffer& buffer)
        : buffer_(buffer), at_(document.data()), left_(document.size() / kIdBytes) {
        valid_ = document.size() % kIdBytes == 0;
        buffer_.clear();
        buffer_.reserve(kIdBytes * kStretchIds, kStretchIds);
    }

    /// Fills the buffer with the next tokens. Returns false when there are none left.
    bool next() {
        const std::size_t taken = left_ < kStretchIds ? left_ : kStretchIds;
        if (taken == 0) return false;
        std::memcpy(buffer_.bytes.get(), at_, kIdBytes * taken);
        for (std::size_t k = 0; k < taken; ++k) {
            buffer_.starts[k] = static_cast<std::uint32_t>(kIdBytes * k);
            buffer_.ends[k] = static_cast<std::uint32_t>(kIdBytes * (k + 1));
        }
        buffer_.bytes_size = kIdBytes * taken;
        buffer_.starts_size = buffer_.ends_size = taken;
        at_ += kIdBytes * taken;
        left_ -= taken;
        return true;
    }

    /// Whether the document consists of whole numbers.
    bool valid() const { return valid_; }

  private:
    static constexpr std::size_t kStretchIds = kStretchBytes / kIdBytes;

    TokenBuffer& buffer_;
    const char* at_;
    std::size_t left_;  ///< in ids
    bool valid_;
};

}  // namespace dsir::text
