#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "hashing/fast_hash.hpp"
#include "ngram/large_array.hpp"

/// What Sha256Ngrams remembers: the numbers of the tokens and n-grams it has met, and their
/// buckets. Two slots share a place; a new entry replaces the one of the two that was used less
/// recently.
///
/// Every entry gets a number that is never used again, so a number always means the same string,
/// even after the table has forgotten the entry. Comparing numbers is therefore comparing strings.
/// 0 means no number.
namespace dsir::ngram {

/// A hash table with two slots at each place. It grows fourfold when it is full.
template <class Slot>
class PlacedSlots {
  public:
    /// The slots that share a place. The first is the one used last.
    using Place = std::array<Slot, 2>;

    /// The number of places is 2^first_bits at first and 2^most_bits at most.
    PlacedSlots(unsigned first_bits, unsigned most_bits)
        : bits_(first_bits), most_bits_(most_bits), places_(std::size_t{1} << first_bits) {}

    Place& at(std::uint64_t hash) { return places_[hash >> (64 - bits_)]; }
    void prefetch(std::uint64_t hash) const {
        __builtin_prefetch(&places_[hash >> (64 - bits_)], 1);
    }

    /// Inserts a slot as the first of its place.
    static void insert(Place& place, const Slot& slot) {
        place[1] = place[0];
        place[0] = slot;
    }

    /// Grows the table if it is full. Moves the slots, so call it between stretches.
    void grow_if_full() {
        if (bits_ >= most_bits_ || inserted_ < places_.size()) return;
        LargeArray<Place> before = std::move(places_);
        bits_ = bits_ + 2 < most_bits_ ? bits_ + 2 : most_bits_;
        places_ = LargeArray<Place>(std::size_t{1} << bits_);
        for (const Place& place : before) {
            for (const std::size_t i : {1, 0}) {
                if (place[i].number != 0) insert(at(place[i].hash()), place[i]);
            }
        }
    }

    void note_insertion() { ++inserted_; }

    void clear() {
        for (Place& place : places_) place = Place{};
        inserted_ = 0;
    }

  private:
    unsigned bits_;
    unsigned most_bits_;
    LargeArray<Place> places_;
    std::size_t inserted_ = 0;
};

/// A token of up to kLargest bytes.
struct TokenSlot {
    static constexpr std::size_t kLargest = 16;

    std::uint64_t first = 0;   ///< its first eight bytes, filled up with zeros
    std::uint64_t second = 0;  ///< its next eight bytes
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

/// An n-gram, as the n-gram without the last token, and the last token.
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

/// The tables of one thread. Their buckets are all for the same number of buckets.
struct Sha256Memory {
    explicit Sha256Memory(std::uint32_t first_number = 1) : next_number(first_number) {}

    void clear();

    PlacedSlots<TokenSlot> tokens{11, 18};
    PlacedSlots<PairSlot> pairs{13, 21};
    std::uint32_t next_number;
};

/// Memory that outlives a call. The constructor borrows it and the destructor returns it, so that
/// the next call finds what this one met. As many memories are kept as were in use at the same
/// time. Memory for another number of buckets is freed.
class LentSha256Memory {
  public:
    explicit LentSha256Memory(std::uint32_t buckets);
    /// Uses the given memory and not one that is kept.
    LentSha256Memory(std::uint32_t buckets, std::unique_ptr<Sha256Memory> memory)
        : buckets_(buckets), memory_(std::move(memory)) {}
    ~LentSha256Memory();
    LentSha256Memory(const LentSha256Memory&) = delete;
    LentSha256Memory& operator=(const LentSha256Memory&) = delete;

    Sha256Memory& operator*() const { return *memory_; }

  private:
    std::uint32_t buckets_;
    std::unique_ptr<Sha256Memory> memory_;
};

}  // namespace dsir::ngram
