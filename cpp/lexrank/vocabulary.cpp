#include "lexrank/vocabulary.hpp"

#include <array>
#include <cstring>
#include <stdexcept>

#include "hashing/fast_hash.hpp"

namespace dsir::lexrank {

std::uint64_t Vocabulary::hash_of(std::string_view term) {
    // token_hash reads eight bytes, however short the term is.
    if (term.size() >= 8) {
        return hashing::token_hash(reinterpret_cast<const std::uint8_t*>(term.data()), term.size());
    }
    std::array<std::uint8_t, 8> padded{};
    std::memcpy(padded.data(), term.data(), term.size());
    return hashing::token_hash(padded.data(), term.size());
}

std::size_t Vocabulary::slot_of(std::string_view term, std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    const auto check = static_cast<std::uint32_t>(hash >> 32);
    std::size_t at = hash & mask;
    while (slots_[at].number != 0) {
        if (slots_[at].check == check && (*this)[slots_[at].number - 1] == term) return at;
        at = (at + 1) & mask;
    }
    return at;
}

std::uint32_t Vocabulary::add(std::string_view term, std::uint64_t hash) {
    std::size_t at = slot_of(term, hash);
    if (slots_[at].number != 0) return slots_[at].number - 1;
    if (size() >= 0x7FFFFFFF) throw std::length_error("more than 2^31 - 1 different terms");
    if ((size() + 1) * 3 > slots_.size() * 2) {
        grow();
        at = slot_of(term, hash);
    }
    bytes_.insert(bytes_.end(), term.begin(), term.end());
    starts_.push_back(bytes_.size());
    hashes_.push_back(hash);
    slots_[at] = {static_cast<std::uint32_t>(size()), static_cast<std::uint32_t>(hash >> 32)};
    return static_cast<std::uint32_t>(size()) - 1;
}

std::optional<std::uint32_t> Vocabulary::find(std::string_view term, std::uint64_t hash) const {
    const std::size_t at = slot_of(term, hash);
    if (slots_[at].number == 0) return std::nullopt;
    return slots_[at].number - 1;
}

void Vocabulary::grow() {
    std::vector<Slot> larger(slots_.size() * 2);
    const std::size_t mask = larger.size() - 1;
    for (std::size_t id = 0; id < size(); ++id) {
        std::size_t at = hashes_[id] & mask;
        while (larger[at].number != 0) at = (at + 1) & mask;
        larger[at] = {static_cast<std::uint32_t>(id + 1),
                      static_cast<std::uint32_t>(hashes_[id] >> 32)};
    }
    slots_ = std::move(larger);
}

}  // namespace dsir::lexrank
