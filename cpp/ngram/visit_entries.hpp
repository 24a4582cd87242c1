#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace dsir::ngram {

/// Calls use(entry) with a reference to the entry of every bucket, in order. All buckets of a
/// stretch are known in advance, so the entries of a table that is too large for the near caches
/// are prefetched.
template <class Entry, class Use>
inline void visit_entries(std::span<const std::uint32_t> buckets, Entry* table,
                          std::size_t table_size, Use&& use) {
    constexpr std::size_t kNear = std::size_t{1} << 20;  // bytes
    constexpr std::size_t kAhead = 64;
    std::size_t i = 0;
    if (table_size * sizeof(Entry) > kNear) {
        for (const std::uint32_t bucket : buckets.first(std::min(kAhead, buckets.size()))) {
            __builtin_prefetch(table + bucket);
        }
        for (; i + kAhead < buckets.size(); ++i) {
            __builtin_prefetch(table + buckets[i + kAhead]);
            use(table[buckets[i]]);
        }
    }
    for (; i < buckets.size(); ++i) use(table[buckets[i]]);
}

}  // namespace dsir::ngram
