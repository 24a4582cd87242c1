#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace dsir::text {

/// About how many bytes of a document one stretch covers. So few that the tokens of a stretch stay
/// in the near caches until they are hashed.
inline constexpr std::size_t kStretchBytes = 2048;

/// The most tokens that a stretch has: one per byte, including the block of 64 bytes that crosses
/// the end.
inline constexpr std::size_t kStretchTokens = kStretchBytes + 64;

/// The complete tokens of one stretch of a document: lower-cased bytes, and the places in them
/// where each token starts and ends. After any token at least kPadding more bytes can be read, so
/// that hashing may load whole words; their content is arbitrary.
///
/// Reuse one buffer for all stretches of all documents. Not thread-safe.
class TokenBuffer {
  public:
    static constexpr std::size_t kPadding = 64;

    TokenBuffer() { reserve(8192, 4096); }

    /// The number of complete tokens.
    std::size_t size() const { return ends_size; }
    std::string_view operator[](std::size_t k) const {
        return {reinterpret_cast<const char*>(bytes.get()) + starts[k], ends[k] - starts[k]};
    }

    /// Makes room for so many bytes and tokens in total, and keeps those that are there.
    void reserve(std::size_t byte_count, std::size_t token_count) {
        grow(bytes, bytes_capacity, bytes_size, byte_count + kPadding);
        std::size_t capacity = tokens_capacity;
        grow(starts, capacity, starts_size, token_count);
        grow(ends, tokens_capacity, ends_size, token_count);
    }

    /// Removes the complete tokens. A token that is still open moves to the front and stays open.
    void drop_complete_tokens() {
        if (starts_size > ends_size) {
            const std::uint32_t from = starts[starts_size - 1];
            if (from != 0) std::memmove(bytes.get(), bytes.get() + from, bytes_size - from);
            bytes_size -= from;
            starts[0] = 0;
            starts_size = 1;
        } else {
            bytes_size = 0;
            starts_size = 0;
        }
        ends_size = 0;
    }

    /// Removes everything.
    void clear() { bytes_size = starts_size = ends_size = 0; }

    // Public members: the tokenizers' inner loops write them directly.
    std::unique_ptr<std::uint8_t[]> bytes;
    std::unique_ptr<std::uint32_t[]> starts;  ///< one more than `ends` while a token is open
    std::unique_ptr<std::uint32_t[]> ends;
    std::size_t bytes_size = 0;
    std::size_t starts_size = 0;
    std::size_t ends_size = 0;

  private:
    template <class T>
    static void grow(std::unique_ptr<T[]>& array, std::size_t& capacity, std::size_t used,
                     std::size_t wanted) {
        if (wanted <= capacity) return;
        const std::size_t larger = wanted > 2 * capacity ? wanted : 2 * capacity;
        std::unique_ptr<T[]> fresh(new T[larger]());
        if (used != 0) std::memcpy(fresh.get(), array.get(), used * sizeof(T));
        array = std::move(fresh);
        capacity = larger;
    }

    std::size_t bytes_capacity = 0;
    std::size_t tokens_capacity = 0;
};

}  // namespace dsir::text
