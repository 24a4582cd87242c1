#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "hashing/fast_hash.hpp"
#include "ngram/large_array.hpp"

/// What Sha256Ngrams remembers: the numbers it has given to tokens and n-grams it has met, and
/// their buckets. A newcomer takes the place of what was longest not asked for, of two.
///
/// Every insertion gets a number of its own, never used again, so a number means one string for
/// good even where the table has forgotten it; 0 means none. Comparing numbers is comparing
/// strings.
namespace dsir::ngram {

/// A table of pairs of slots at places of 64-bit hashes, which grows fourfold as it fills.
template <class Slot>
class PlacedSlots {
  public:
    /// The slots that share a place; the one asked for last is the first.
    using Place = std::array<Slot, 2>;

    /// Bits: of the number of places.
    PlacedSlots(unsigned first_bits, unsigned most_bits)
        : bits_(first_bits), most_bits_(most_bits), places_(std::size_t{1} << first_bits) {}

    Place& at(std::uint64_t hash) { return places_[hash >> (64 - bits_)]; }
    void prefetch(std::uint64_t hash) const {
        __builtin_prefetch(&places_[hash >> (64 - bits_)], 1);
    }

    /// Puts a newcomer first.
    static void insert(Place& place, const Slot& slot) {
        place[1] = place[0];
        place[0] = slot;
    }

    /// To be called between stretches: moves the slots.
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

/// The tables of one thread. Its buckets are of one number of buckets.
struct Sha256Memory {
    explicit Sha256Memory(std::uint32_t first_number = 1) : next_number(first_number) {}

    void clear();

    PlacedSlots<TokenSlot> tokens{11, 18};
    PlacedSlots<PairSlot> pairs{13, 21};
    std::uint32_t next_number;
};

/// Memory that outlives a call: borrowed for one, given back when this goes, so that the next call
/// finds what was met before. As much is kept as was in use at once; that of another number of
/// buckets is let go.
class LentSha256Memory {
  public:
    explicit LentSha256Memory(std::uint32_t buckets);
    /// Not out of what is kept, but this.
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
