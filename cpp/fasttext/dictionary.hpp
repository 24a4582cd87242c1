#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fasttext/remainder.hpp"
#include "fasttext/settings.hpp"

namespace dsir::fasttext {

/// The word that ends every line.
inline constexpr std::string_view kEndOfLine = "</s>";
/// How labels begin. The file does not hold it; this is fastText's default.
inline constexpr std::string_view kLabelPrefix = "__label__";

inline constexpr std::uint32_t kHashStart = 2166136261U;

/// One step of fastText's hash: FNV-1a, but bytes count as signed.
inline std::uint32_t hash_byte(std::uint32_t hash, char byte) {
    const auto extended = static_cast<std::int32_t>(static_cast<signed char>(byte));
    return (hash ^ static_cast<std::uint32_t>(extended)) * 16777619U;
}

/// FastText's hash of a word.
inline std::uint32_t hash_of(std::string_view word) {
    std::uint32_t hash = kHashStart;
    for (const char c : word) hash = hash_byte(hash, c);
    return hash;
}

/// Sets `enclosed` to the word as its subwords are cut from it.
inline void enclose(std::string_view word, std::string& enclosed) {
    enclosed.clear();
    enclosed += '<';
    enclosed += word;
    enclosed += '>';
}

/// The words and labels of a model, and the rows of hashed features.
///
/// A row of the input matrix belongs to a word (rows 0 to words - 1) or to hashed features (the
/// rows from `words` on).
class Dictionary {
  public:
    /// What a model file holds. Words come first, labels last.
    struct Content {
        std::string bytes;                ///< the words and labels, one after the other
        std::vector<std::uint64_t> ends;  ///< where each of them ends
        std::vector<std::int64_t> label_counts;
        /// The buckets that pruning kept, and the row of each behind the words; nothing if the
        /// model is not pruned.
        std::optional<std::vector<std::pair<std::int32_t, std::int32_t>>> kept_buckets;
    };

    /// Throws std::invalid_argument if the content contradicts itself.
    Dictionary(const Settings& settings, Content content);

    const Settings& settings() const { return settings_; }
    const Content& content() const { return content_; }
    std::size_t words() const { return words_; }
    std::size_t labels() const { return content_.label_counts.size(); }
    /// How many rows the input matrix must have at least.
    std::size_t rows() const { return rows_; }

    /// Word or label number `id`, in the order of the file.
    std::string_view word(std::size_t id) const {
        const std::size_t begin = id == 0 ? 0 : content_.ends[id - 1];
        return std::string_view(content_.bytes).substr(begin, content_.ends[id] - begin);
    }
    std::string_view label(std::size_t id) const { return word(words_ + id); }

    /// The number of a word or label; -1 if it is neither. `hash` is its hash.
    std::int32_t find(std::string_view word, std::uint32_t hash) const {
        for (std::size_t at = hash & mask_;; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (slot.id < 0) return -1;
            if (slot.hash == hash && slot.size == word.size() && same(slot, word)) return slot.id;
        }
    }
    void prefetch(std::uint32_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }

    /// The row of a word n-gram; -1 if pruning took it away.
    std::int64_t row_of(std::uint64_t ngram_hash) const {
        return row_of_bucket(remainder_.of(ngram_hash));
    }

    /// Calls visit(row, text) for each subword of a word, which has been put through `enclose`.
    template <class Visit>
    void visit_subwords(std::string_view enclosed, Visit&& visit) const {
        const std::size_t size = enclosed.size();
        const auto is_inner = [&](std::size_t at) { return (enclosed[at] & 0xC0) == 0x80; };
        for (std::size_t begin = 0; begin < size; ++begin) {
            if (is_inner(begin)) continue;
            std::uint32_t hash = kHashStart;
            std::size_t end = begin;
            for (std::int32_t n = 1; end < size && n <= settings_.maxn; ++n) {
                hash = hash_byte(hash, enclosed[end++]);
                while (end < size && is_inner(end)) hash = hash_byte(hash, enclosed[end++]);
                if (n < settings_.minn || (n == 1 && (begin == 0 || end == size))) continue;
                const std::int64_t row = row_of_bucket(remainder_.of(hash));
                if (row >= 0) {
                    visit(static_cast<std::size_t>(row), enclosed.substr(begin, end - begin));
                }
            }
        }
    }

  private:
    /// A place of the hash table. Short words are compared here, long ones where they lie.
    struct Slot {
        std::uint32_t hash = 0;
        std::int32_t id = -1;
        std::uint32_t size = 0;
        std::array<char, 20> start{};
    };

    /// Whether the word of a slot is this word, which has its size.
    bool same(const Slot& slot, std::string_view other) const {
        const std::size_t size = other.size();
        if (size > slot.start.size()) return word(static_cast<std::size_t>(slot.id)) == other;
        if (size > 16) return std::memcmp(slot.start.data(), other.data(), size) == 0;
        // Two parts that may overlap, because a call of memcmp takes longer than this.
        if (size >= 8) return same_ends<std::uint64_t>(slot.start.data(), other);
        if (size >= 4) return same_ends<std::uint32_t>(slot.start.data(), other);
        if (size >= 2) return same_ends<std::uint16_t>(slot.start.data(), other);
        return size == 0 || slot.start[0] == other[0];
    }
    template <class Part>
    static bool same_ends(const char* start, std::string_view other) {
        const auto part = [](const char* at) {
            Part value;
            std::memcpy(&value, at, sizeof value);
            return value;
        };
        const std::size_t last = other.size() - sizeof(Part);
        return part(start) == part(other.data()) && part(start + last) == part(other.data() + last);
    }
    std::int64_t row_of_bucket(std::uint32_t bucket) const;
    void check() const;
    void fill_slots();
    void fill_kept();

    Settings settings_;
    Content content_;
    std::size_t words_ = 0;
    std::size_t rows_ = 0;
    Remainder remainder_;
    std::size_t mask_ = 0;
    std::vector<Slot> slots_;
    /// The kept buckets, by hash; an empty place has the bucket -1.
    std::vector<std::pair<std::int32_t, std::int32_t>> kept_;
};

}  // namespace dsir::fasttext
