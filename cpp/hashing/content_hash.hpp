#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "arrow/text_column.hpp"
#include "hashing/fast_hash.hpp"

namespace dsir::hashing {

/// Names what content_hash computes; its values are a file format, pinned by golden vectors.
inline constexpr const char* kContentHash = "fast-1";

/// Hash of a whole text, to tell texts apart: token_hash (version 1) of its bytes as they are,
/// which may be none.
inline std::uint64_t content_hash(std::string_view text) {
    if (text.size() >= 8) {
        return token_hash(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    }
    // Eight bytes are read whatever the length; behind a short text there may be none.
    std::array<std::uint8_t, 8> padded{};
    if (text.empty()) return fold(fold(kRoot2, kRoot3), kRoot5);
    std::memcpy(padded.data(), text.data(), text.size());
    return token_hash(padded.data(), text.size());
}

/// The content hash of every row, that of no bytes where the text is null.
void content_hashes(const arrow::TextColumn& texts, unsigned threads, std::uint64_t* out);

}  // namespace dsir::hashing
