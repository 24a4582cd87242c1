#pragma once

// The hashes of the tokens of a row, each token found and hashed by itself.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hashing/fast_hash.hpp"
#include "plain_text.hpp"
#include "tests/text_array.hpp"

namespace dsir::fuzz {

/// The hashes of the tokens of `wordpunct`, or none if the row is null or not UTF-8.
inline std::vector<std::uint64_t> token_hashes_of(const test::Row& row) {
    std::vector<std::uint64_t> hashes;
    const auto characters = row ? characters_of(*row) : std::nullopt;
    if (!characters) return hashes;
    for (std::string& token : wordpunct_tokens(*characters).tokens) {
        const std::size_t size = token.size();
        token.append(8, '\0');  // token_hash() may read words of 8 bytes
        hashes.push_back(
            hashing::token_hash(reinterpret_cast<const std::uint8_t*>(token.data()), size));
    }
    return hashes;
}

}  // namespace dsir::fuzz
