#include "sampling/first_seen.hpp"

#include <algorithm>
#include <bit>

#include "hashing/fast_hash.hpp"

namespace dsir::sampling {
namespace {

constexpr std::size_t kFewestSlots = 1024;

/// The number of slots for so many hashes, such that at most three quarters are full.
std::size_t slots_for(std::size_t hashes) {
    return std::bit_ceil(std::max(kFewestSlots, hashes + hashes / 3 + 1));
}

}  // namespace

FirstSeen::FirstSeen(std::uint32_t part, std::uint32_t parts, std::size_t expected)
    : part_(part), parts_(parts), slots_(slots_for(expected)) {}

void FirstSeen::add(const std::uint64_t* hashes, const std::uint8_t* eligible, std::int64_t size,
                    std::uint8_t* repeated) {
    for (std::int64_t i = 0; i < size; ++i) {
        if (eligible[i] == 0 || hashing::bucket_of(hashes[i], parts_) != part_) continue;
        if (!insert(hashes[i])) repeated[i] = 1;
    }
}

/// Adds the hash, and returns whether it is new. The lower bits choose the slot, because the upper
/// bits are those of the part.
bool FirstSeen::insert(std::uint64_t hash) {
    if (hash == 0) {
        const bool is_new = !zero_seen_;
        zero_seen_ = true;
        return is_new;
    }
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = static_cast<std::size_t>(hash) & mask;
    while (slots_[slot] != 0) {
        if (slots_[slot] == hash) return false;
        slot = (slot + 1) & mask;
    }
    slots_[slot] = hash;
    if (++held_ > slots_.size() / 4 * 3) grow();
    return true;
}

void FirstSeen::grow() {
    std::vector<std::uint64_t> larger(slots_.size() * 2);
    const std::size_t mask = larger.size() - 1;
    for (const std::uint64_t hash : slots_) {
        if (hash == 0) continue;
        std::size_t slot = static_cast<std::size_t>(hash) & mask;
        while (larger[slot] != 0) slot = (slot + 1) & mask;
        larger[slot] = hash;
    }
    slots_.swap(larger);
}

}  // namespace dsir::sampling
