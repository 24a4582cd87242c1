#include "ngram/sha256_ngrams.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace dsir::ngram {
namespace {

/// How many look-ups ahead a slot is prefetched.
constexpr std::size_t kAhead = 48;

/// The number of readable bytes after a token.
constexpr std::size_t kBehind = 16;
static_assert(kBehind <= text::TokenBuffer::kPadding);

std::uint64_t first_bytes(const std::uint8_t* at, std::size_t length) {
    if (length == 0) return 0;
    return hashing::load64(at) & (~std::uint64_t{0} >> (64 - 8 * length));
}

}  // namespace

std::span<const std::uint32_t> Sha256Ngrams::take(const text::TokenBuffer& tokens) {
    const std::size_t count = tokens.size();
    if (count == 0) return {};
    if (memory_.next_number > std::numeric_limits<std::uint32_t>::max() - n_ * count) {
        // No numbers are left: forget everything, including what the document's numbers meant.
        memory_.clear();
        last_numbers_ = {};
    }
    memory_.tokens.grow_if_full();
    memory_.pairs.grow_if_full();
    if (hashes_.size() < count + simd::kBucketSlack) {
        hashes_.resize(count + simd::kBucketSlack);
        token_numbers_.resize(count);
        ngram_numbers_.resize(count);
        found_.resize(n_ * count);
    }
    std::uint32_t* out = found_.data();
    number_tokens(tokens, out);
    out += count;
    for (unsigned order = 2; order <= n_; ++order) {
        // The first tokens of a document end no n-gram of this order.
        const std::size_t missing = order - 1 - std::min<std::size_t>(order - 1, before_.size());
        if (missing >= count) break;
        number_longer(tokens, order, missing, out);
        out += count - missing;
    }
    if (waiting_count_ == 1) hash_waiting(waiting_[0], waiting_[0]);
    waiting_count_ = 0;
    keep_last_tokens(tokens);
    return {found_.data(), out};
}

/// Finds or assigns the numbers of the tokens, and writes their buckets.
void Sha256Ngrams::number_tokens(const text::TokenBuffer& tokens, std::uint32_t* buckets) {
    const std::size_t count = tokens.size();
    token_hashes_({tokens.bytes.get(), tokens.starts.get(), tokens.ends.get(), count},
                  hashes_.data());
    for (std::size_t k = 0; k < std::min(kAhead, count); ++k) memory_.tokens.prefetch(hashes_[k]);
    for (std::size_t k = 0; k < count; ++k) {
        if (k + kAhead < count) memory_.tokens.prefetch(hashes_[k + kAhead]);
        const std::uint8_t* const bytes = tokens.bytes.get() + tokens.starts[k];
        const std::size_t length = tokens.ends[k] - tokens.starts[k];
        if (length > TokenSlot::kLargest) {
            token_numbers_[k] = 0;
            buckets[k] = bucket_of_(bytes, length);
            continue;
        }
        const std::uint64_t first = first_bytes(bytes, std::min<std::size_t>(length, 8));
        const std::uint64_t second =
            first_bytes(bytes + 8, length - std::min<std::size_t>(length, 8));
        const auto is_this = [&](const TokenSlot& slot) {
            return slot.first == first && slot.second == second && slot.length == length;
        };
        auto& place = memory_.tokens.at(hashes_[k]);
        if (!is_this(place[0])) {
            if (is_this(place[1])) {
                std::swap(place[0], place[1]);
            } else {
                memory_.tokens.insert(place, {first, second, static_cast<std::uint32_t>(length),
                                              memory_.next_number++, bucket_of_(bytes, length)});
                memory_.tokens.note_insertion();
            }
        }
        token_numbers_[k] = place[0].number;
        buckets[k] = place[0].bucket;
    }
    std::copy_n(token_numbers_.begin(), count, ngram_numbers_.begin());
}

/// Goes from the n-grams of the order before to those of this order. Finds or assigns the numbers
/// of the n-grams that end at the tokens from `first` on, and writes their buckets or queues them
/// for hashing.
void Sha256Ngrams::number_longer(const text::TokenBuffer& tokens, unsigned order, std::size_t first,
                                 std::uint32_t* buckets) {
    const std::size_t count = tokens.size();
    // n-gram k of this order begins with n-gram k - 1 of the order before.
    std::uint32_t shorter = last_numbers_[order - 2];
    last_numbers_[order - 2] = ngram_numbers_[count - 1];
    for (std::size_t k = 0; k < count; ++k) std::swap(shorter, ngram_numbers_[k]);
    for (std::size_t k = first; k < count; ++k) {
        hashes_[k] = PairSlot::hash_of(ngram_numbers_[k], token_numbers_[k]);
    }
    for (std::size_t k = first; k < std::min(first + kAhead, count); ++k) {
        memory_.pairs.prefetch(hashes_[k]);
    }
    for (std::size_t k = first; k < count; ++k) {
        if (k + kAhead < count) memory_.pairs.prefetch(hashes_[k + kAhead]);
        const PairSlot key = {ngram_numbers_[k], token_numbers_[k]};
        std::uint32_t* const bucket = buckets + (k - first);
        if (key.shorter == 0 || key.token == 0) {
            ngram_numbers_[k] = 0;
            hash_ngram(tokens, order, k, bucket, nullptr, key);
            continue;
        }
        PairPlace& place = memory_.pairs.at(hashes_[k]);
        const auto is_this = [&](const PairSlot& slot) {
            return slot.shorter == key.shorter && slot.token == key.token;
        };
        if (!is_this(place[0]) && is_this(place[1])) std::swap(place[0], place[1]);
        if (is_this(place[0])) {
            ngram_numbers_[k] = place[0].number;
            *bucket = place[0].bucket;
            continue;
        }
        ngram_numbers_[k] = memory_.next_number++;
        hash_ngram(tokens, order, k, bucket, &place, {key.shorter, key.token, ngram_numbers_[k]});
        memory_.pairs.note_insertion();
    }
    for (std::size_t k = 0; k < first; ++k) ngram_numbers_[k] = 0;
}

/// Hashes the n-gram that ends at token `last`, either now or together with the next one.
void Sha256Ngrams::hash_ngram(const text::TokenBuffer& tokens, unsigned order, std::size_t last,
                              std::uint32_t* bucket, PairPlace* place, const PairSlot& entry) {
    const auto end = static_cast<std::ptrdiff_t>(last) + 1;
    const std::ptrdiff_t begin = end - static_cast<std::ptrdiff_t>(order);
    std::size_t length = order - 1;
    for (std::ptrdiff_t k = begin; k < end; ++k) length += token_at(tokens, k).size();
    if (length > digest::Sha256Block::kLargest) {
        std::string joined;
        joined.reserve(length);
        for (std::ptrdiff_t k = begin; k < end; ++k) {
            if (k > begin) joined += ' ';
            joined += token_at(tokens, k);
        }
        *bucket = bucket_of_(reinterpret_cast<const std::uint8_t*>(joined.data()), length);
        if (place != nullptr) {
            memory_.pairs.insert(*place, {entry.shorter, entry.token, entry.number, *bucket});
        }
        return;
    }
    Waiting& own = waiting_[waiting_count_++];
    own.message.clear();
    for (std::ptrdiff_t k = begin; k < end; ++k) {
        if (k > begin) own.message.append(' ');
        const std::string_view token = token_at(tokens, k);
        own.message.append_padded(reinterpret_cast<const std::uint8_t*>(token.data()),
                                  token.size());
    }
    own.message.finish();
    own.bucket = bucket;
    own.place = place;
    own.entry = entry;
    if (waiting_count_ == 2) {
        hash_waiting(waiting_[0], waiting_[1]);
        waiting_count_ = 0;
    }
}

void Sha256Ngrams::hash_waiting(const Waiting& a, const Waiting& b) {
    digest::Sha256State digests[2];
    digest::sha256_of_two(a.message, b.message, digests[0], digests[1]);
    const Waiting* const both[2] = {&a, &b};
    for (std::size_t i = 0; i < 2; ++i) {
        const Waiting& own = *both[i];
        *own.bucket = bucket_of_.remainder(digests[i]);
        if (own.place == nullptr) continue;
        memory_.pairs.insert(*own.place,
                             {own.entry.shorter, own.entry.token, own.entry.number, *own.bucket});
    }
}

void Sha256Ngrams::keep_last_tokens(const text::TokenBuffer& tokens) {
    const std::size_t count = tokens.size();
    const std::size_t wanted = n_ - 1;
    for (std::size_t k = count - std::min(wanted, count); k < count; ++k) {
        before_.emplace_back(tokens[k]).append(kBehind, '\0');
    }
    while (before_.size() > wanted) before_.pop_front();
}

/// Token k of the stretch, or for a negative k one of the tokens before the stretch. kBehind bytes
/// after the token can be read.
std::string_view Sha256Ngrams::token_at(const text::TokenBuffer& tokens, std::ptrdiff_t k) const {
    if (k >= 0) return tokens[static_cast<std::size_t>(k)];
    const std::string& kept =
        before_[static_cast<std::size_t>(static_cast<std::ptrdiff_t>(before_.size()) + k)];
    return {kept.data(), kept.size() - kBehind};
}

}  // namespace dsir::ngram
