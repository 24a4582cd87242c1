#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace dsir::lexrank {

/// Terms and their numbers, in the order in which they were first added. Exact: terms are told
/// apart by their bytes, the hash only leads to them. Not thread-safe while terms are added.
class Vocabulary {
  public:
    Vocabulary() : slots_(64), starts_{0} {}

    /// Hash of a term of at least one byte, which need not be padded.
    static std::uint64_t hash_of(std::string_view term);

    /// Number of the term, given its hash; adds it where it is new.
    std::uint32_t add(std::string_view term, std::uint64_t hash);

    /// Number of the term, or nothing where it was never added.
    std::optional<std::uint32_t> find(std::string_view term, std::uint64_t hash) const;

    std::size_t size() const { return hashes_.size(); }
    std::string_view operator[](std::size_t id) const {
        return {bytes_.data() + starts_[id], starts_[id + 1] - starts_[id]};
    }
    std::uint64_t hash(std::size_t id) const { return hashes_[id]; }

  private:
    struct Slot {
        std::uint32_t number = 0;  ///< of the term, plus one; 0: free
        std::uint32_t check = 0;   ///< upper half of its hash
    };

    /// Position of the term's slot, or of the free one where it belongs.
    std::size_t slot_of(std::string_view term, std::uint64_t hash) const;
    void grow();

    std::vector<Slot> slots_;  ///< a power of two, at most two thirds full
    std::vector<char> bytes_;
    std::vector<std::size_t> starts_;
    std::vector<std::uint64_t> hashes_;
};

}  // namespace dsir::lexrank
