#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "hashing/fast_hash.hpp"

/// What Sha256Ngrams remembers: the numbers it has given to tokens and n-grams it has met, and
/// their buckets. Direct-mapped tables: a newcomer takes the place of what was there.
///
/// Every insertion gets a number of its own, never used again, so a number means one string for
/// good even where the table has forgotten it; 0 means none. Comparing numbers is comparing
/// strings.
namespace dsir::ngram {

/// A table of slots at places of 64-bit hashes, which grows fourfold as it fills.
template <class Slot>
class PlacedSlots {
  public:
    PlacedSlots(unsigned first_bits, unsigned most_bits)
        : bits_(first_bits), most_bits_(most_bits), slots_(std::size_t{1} << first_bits) {}

    Slot& at(std::uint64_t hash) { return slots_[hash >> (64 - bits_)]; }
    void prefetch(std::uint64_t hash) const {
        __builtin_prefetch(&slots_[hash >> (64 - bits_)], 1);
    }

    /// To be called between stretches: moves the slots.
    void grow_if_full() {
        if (bits_ >= most_bits_ || inserted_ < slots_.size() / 2) return;
        std::vector<Slot> before = std::move(slots_);
        bits_ = bits_ + 2 < most_bits_ ? bits_ + 2 : most_bits_;
        slots_ = std::vector<Slot>(std::size_t{1} << bits_);
        for (const Slot& slot : before) {
            if (slot.number != 0) at(slot.hash()) = slot;
        }
    }

    void note_insertion() { ++inserted_; }

    void clear() {
        for (Slot& slot : slots_) slot = Slot{};
        inserted_ = 0;
    }

  private:
    unsigned bits_;
    unsigned most_bits_;
    std::vector<Slot> slots_;
    std::size_t inserted_ = 0;
};

/// A token of up to kLargest bytes.
struct TokenSlot {
    static constexpr std::size_t kLargest = 16;

    std::uint64_t first = 0;   ///< its first eight bytes, zeros behind
    std::uint64_t second = 0;  ///< the next eight
    std::uint32_t length = 0;
    std::uint32_t number = 0;  ///< 0: empty
    std::uint32_t bucket = 0;  ///< of the token as a unigram

    std::uint64_t hash() const {
        std::uint8_t bytes[kLargest];
        std::memcpy(bytes, &first, 8);
        std::memcpy(bytes + 8, &second, 8);
        return hashing::token_hash(bytes, length);
    }
};

/// An n-gram: the one it begins with, which is one token shorter, and its last token.
struct PairSlot {
    std::uint32_t shorter = 0;
    std::uint32_t token = 0;
    std::uint32_t number = 0;  ///< 0: empty
    std::uint32_t bucket = 0;

    static std::uint64_t hash_of(std::uint32_t shorter, std::uint32_t token) {
        return hashing::fold(((std::uint64_t{shorter} << 32) | token) ^ hashing::kRoot7,
                             hashing::kRoot11);
    }
    std::uint64_t hash() const { return hash_of(shorter, token); }
};

}  // namespace dsir::ngram
