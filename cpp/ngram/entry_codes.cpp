#include "ngram/entry_codes.hpp"

#include <utility>

namespace dsir::ngram {
namespace {

/// The numbers of different values, in the order in which they come: a hash table with open
/// addressing, of which at most a quarter is full.
class Numbers {
  public:
    Numbers() : slots_(kSlots, kFree) {}

    /// Returns the number of a value, and appends the value to `values` if it is new.
    std::uint16_t operator()(std::int64_t value, std::vector<std::int64_t>& values) {
        constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15;  // 2^64 / the golden ratio
        std::size_t at = (static_cast<std::uint64_t>(value) * kSpread) >> (64 - kSlotBits);
        for (; slots_[at] != kFree; at = (at + 1) % kSlots) {
            if (values[slots_[at]] == value) return slots_[at];
        }
        slots_[at] = static_cast<std::uint16_t>(values.size());
        values.push_back(value);
        return slots_[at];
    }

  private:
    static constexpr unsigned kSlotBits = 16;
    static constexpr std::size_t kSlots = std::size_t{1} << kSlotBits;
    static constexpr std::uint16_t kFree = 0xFFFF;
    static_assert(4 * EntryCodes::kMostValues <= kSlots);

    std::vector<std::uint16_t> slots_;
};

}  // namespace

EntryCodes::EntryCodes(std::span<const std::int64_t> entries) {
    if (entries.size_bytes() <= kSmall) return;
    Numbers numbers;
    std::vector<std::uint16_t> codes;
    codes.reserve(entries.size());
    for (const std::int64_t entry : entries) {
        codes.push_back(numbers(entry, values_));
        if (values_.size() > kMostValues) {
            values_.clear();
            return;
        }
    }
    codes_ = std::move(codes);
}

}  // namespace dsir::ngram
