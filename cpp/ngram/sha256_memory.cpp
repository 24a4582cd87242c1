#include "ngram/sha256_memory.hpp"

#include <mutex>
#include <vector>

namespace dsir::ngram {
namespace {

struct Kept {
    std::mutex mutex;
    std::uint32_t buckets = 0;
    std::vector<std::unique_ptr<Sha256Memory>> free;
};

Kept& kept() {
    // Never destroyed, because a thread may return memory while the process ends.
    static Kept* const all = new Kept;
    return *all;
}

}  // namespace

void Sha256Memory::clear() {
    tokens.clear();
    pairs.clear();
    next_number = 1;
}

LentSha256Memory::LentSha256Memory(std::uint32_t buckets) : buckets_(buckets) {
    Kept& all = kept();
    {
        const std::lock_guard lock(all.mutex);
        if (all.buckets == buckets && !all.free.empty()) {
            memory_ = std::move(all.free.back());
            all.free.pop_back();
        }
    }
    if (!memory_) memory_ = std::make_unique<Sha256Memory>();
}

LentSha256Memory::~LentSha256Memory() {
    Kept& all = kept();
    std::vector<std::unique_ptr<Sha256Memory>> let_go;  // freed after the lock is released
    const std::lock_guard lock(all.mutex);
    if (all.buckets != buckets_) let_go.swap(all.free);
    all.buckets = buckets_;
    all.free.push_back(std::move(memory_));
}

}  // namespace dsir::ngram
