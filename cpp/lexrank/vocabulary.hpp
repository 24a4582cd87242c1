#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace dsir::lexrank {

/// Terms and their numbers, in the order in which the terms were first added. A hash only leads to
/// a term; the bytes decide whether two terms are equal. Not thread-safe while terms are added.
class Vocabulary {
  public:
    Vocabulary() : slots_(64), starts_{0} {}

    /// The hash of a term of at least one byte. No bytes after the term are read.
    static std::uint64_t hash_of(std::string_view term);

    /// The number of the term with this hash. Adds the term if it is new.
    std::uint32_t add(std::string_view term, std::uint64_t hash);

    /// The number of the term, or nothing if the term was never added.
    std::optional<std::uint32_t> find(std::string_view term, std::uint64_t hash) const;

    std::size_t size() const { return hashes_.size(); }
    std::string_view operator[](std::size_t id) const {
        return {bytes_.data() + starts_[id], starts_[id + 1] - starts_[id]};
    }
    std::uint64_t hash(std::size_t id) const { return hashes_[id]; }

  private:
    struct Slot {
        std::uint32_t number = 0;  ///< the term's number plus one; 0: free
        std::uint32_t check = 0;   ///< upper half of the term's hash
    };

    /// The position of the term's slot, or of the free slot in which the term belongs.
    std::size_t slot_of(std::string_view term, std::uint64_t hash) const;
    void grow();

    std::vector<Slot> slots_;  ///< a power of two, at most two thirds full
    std::vector<char> bytes_;
    std::vector<std::size_t> starts_;
    std::vector<std::uint64_t> hashes_;
};

}  // namespace dsir::lexrank
