#include "quality/stop_words.hpp"

#include <bit>

#include "hashing/fast_hash.hpp"

namespace dsir::quality {

StopWords::StopWords(const std::vector<std::string>& words)
    : slots_(std::bit_ceil(2 * words.size() + 2)), mask_(slots_.size() - 1) {
    for (const std::string& word : words) {
        if (word.empty()) continue;
        std::string padded = word + std::string(8, '\0');  // token_hash loads whole words
        const std::uint64_t hash =
            hashing::token_hash(reinterpret_cast<const std::uint8_t*>(padded.data()), word.size());
        if (contains(hash, word)) continue;
        std::size_t slot = hash & mask_;
        while (!slots_[slot].word.empty()) slot = (slot + 1) & mask_;
        slots_[slot] = {hash, word};
    }
}

}  // namespace dsir::quality
