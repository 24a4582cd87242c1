#pragma once

#include <array>
#include <cstdint>

namespace dsir::numeric {

/// Four random words for a counter and a key: Philox 4x32 with 10 rounds (Salmon, Moraes, Dror &
/// Shaw, SC'11). For each key the function is a bijection of the counter. Equal inputs give equal
/// outputs, in any order and on any machine; the tests hold it against the known answers.
inline std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                               std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t product0 = std::uint64_t{0xD2511F53} * counter[0];
        const std::uint64_t product1 = std::uint64_t{0xCD9E8D57} * counter[2];
        counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
                   static_cast<std::uint32_t>(product1),
                   static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
                   static_cast<std::uint32_t>(product0)};
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    return counter;
}

}  // namespace dsir::numeric
