#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dsir::quality {

/// A hash table that can be emptied for the next document at no cost, because entries of earlier
/// documents count as free. Keys are 64-bit hashes, and equal hashes count as equal.
///
/// `Value` is what the table keeps for a key. A new entry has Value{}.
template <class Value>
class DocumentTable {
  public:
    DocumentTable() : entries_(kLeast) {}

    void start_document() {
        if (entries_.size() > kMostKept) entries_ = std::vector<Entry>(kLeast);
        if (++document_ == 0) {
            // After 2^32 documents the numbers start over.
            for (Entry& entry : entries_) entry.document = 0;
            document_ = 1;
        }
        size_ = 0;
    }

    /// The value of a key, and whether the key is new. The reference is valid until the next call.
    struct Found {
        Value& value;
        bool fresh;
    };
    Found operator[](std::uint64_t key) {
        if (2 * size_ >= entries_.size()) grow();
        Entry& entry = find(key);
        const bool fresh = entry.document != document_;
        if (fresh) {
            entry = {key, document_, Value{}};
            ++size_;
        }
        return {entry.value, fresh};
    }

  private:
    static constexpr std::size_t kLeast = std::size_t{1} << 10;
    /// A table that has grown beyond this size is freed after its document.
    static constexpr std::size_t kMostKept = std::size_t{1} << 17;

    struct Entry {
        std::uint64_t key = 0;
        std::uint32_t document = 0;
        Value value{};
    };

    /// The entry of a key, or the free entry in which the key belongs.
    Entry& find(std::uint64_t key) {
        const std::size_t mask = entries_.size() - 1;
        std::size_t slot = key & mask;
        while (entries_[slot].document == document_ && entries_[slot].key != key) {
            slot = (slot + 1) & mask;
        }
        return entries_[slot];
    }

    void grow() {
        std::vector<Entry> before(2 * entries_.size());
        before.swap(entries_);
        for (const Entry& entry : before) {
            if (entry.document == document_) find(entry.key) = entry;
        }
    }

    std::vector<Entry> entries_;  ///< a power of two, at least half of them free
    std::size_t size_ = 0;
    std::uint32_t document_ = 0;
};

}  // namespace dsir::quality
