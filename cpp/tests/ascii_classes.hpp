#pragma once

#include <cstdint>

// The classes of ASCII bytes, as the tokenizers' definition has them.
namespace dsir::test {

inline bool word(std::uint8_t c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

inline bool space(std::uint8_t c) {
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32);
}

}  // namespace dsir::test
