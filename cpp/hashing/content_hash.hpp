#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "arrow/text_column.hpp"
#include "hashing/fast_hash.hpp"

namespace dsir::hashing {

/// The name of what content_hash computes. Its values are a file format; golden vectors in the
/// tests pin them.
inline constexpr const char* kContentHash = "fast-1";

/// Hash of a whole text, by which equal texts are found: token_hash (version 1) of the bytes as
/// they are. The text may be empty.
inline std::uint64_t content_hash(std::string_view text) {
    if (text.size() >= 8) {
        return token_hash(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    }
    // token_hash reads eight bytes whatever the length, and after a short text there may be no
    // memory to read.
    std::array<std::uint8_t, 8> padded{};
    if (text.empty()) return fold(fold(kRoot2, kRoot3), kRoot5);
    std::memcpy(padded.data(), text.data(), text.size());
    return token_hash(padded.data(), text.size());
}

/// Writes the content hash of every row to `out`, one entry per row. A null row has the hash of the
/// empty text. The result does not depend on `threads` (at least 1).
void content_hashes(const arrow::TextColumn& texts, unsigned threads, std::uint64_t* out);

}  // namespace dsir::hashing
