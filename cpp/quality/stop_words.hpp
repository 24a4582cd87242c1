#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dsir::quality {

/// A set of words. A token is looked up by its hash and then compared byte by byte.
class StopWords {
  public:
    /// `words` are lower-cased, as the tokenizer makes them. Empty words are ignored.
    explicit StopWords(const std::vector<std::string>& words);

    /// Whether a token is one of the words. `hash` must be the token's hashing::token_hash.
    bool contains(std::uint64_t hash, std::string_view token) const {
        for (std::size_t slot = hash & mask_;; slot = (slot + 1) & mask_) {
            if (slots_[slot].word.empty()) return false;
            if (slots_[slot].hash == hash && slots_[slot].word == token) return true;
        }
    }

  private:
    struct Slot {
        std::uint64_t hash = 0;
        std::string word;
    };

    std::vector<Slot> slots_;  ///< a power of two, at least half of them empty
    std::size_t mask_;
};

}  // namespace dsir::quality
