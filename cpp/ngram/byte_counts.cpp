#include "ngram/byte_counts.hpp"

#include <algorithm>
#include <cstring>

#include "hashing/fast_hash.hpp"
#include "ngram/byte_ngrams.hpp"
#include "text/byte_tokens.hpp"
#include "text/row_status.hpp"

namespace dsir::ngram {
namespace {

constexpr std::size_t kPairs = 256 * 256;

static_assert(ByteCounts::kMostTokens + text::kLargestDocument * 3 / 2 <= std::uint64_t{1} << 32);

}  // namespace

bool ByteCounts::fit(const FeatureSpec& spec) {
    return spec.n == 2 && spec.hash == HashKind::fast && spec.kernel == nullptr &&
           spec.form == text::Form::as_is && BucketStream::cuts_characters(spec.cutting);
}

ByteCounts::ByteCounts(const FeatureSpec& spec, std::uint64_t most_tokens)
    : cutting_(spec.cutting), buckets_(spec.buckets), most_tokens_(most_tokens) {
    for (std::vector<std::uint32_t>& table : pairs_) table.resize(kPairs);
}

bool ByteCounts::takes(std::string_view document) const {
    return cutting_.kind == text::TokenizerKind::bytes || text::is_ascii(document);
}

BucketStream::Outcome ByteCounts::add(std::string_view document, std::span<std::int64_t> counts) {
    if (since_finished_ >= most_tokens_) finish(counts);
    text::ByteTokens tokenizer(document, buffer_, cutting_.letters);
    std::uint64_t tokens = 0;
    std::uint8_t last = 0;
    for (auto bytes = tokenizer.next_bytes(); !bytes.empty(); bytes = tokenizer.next_bytes()) {
        if (tokens == 0) {
            ++firsts_[bytes[0]];
        } else {
            ++pairs_[0][last + std::size_t{256} * bytes[0]];
        }
        count_pairs(bytes);
        last = bytes.back();
        tokens += bytes.size();
    }
    since_finished_ += tokens;
    return {tokens, ngram_count(tokens, 2), tokenizer.valid()};
}

/// Counts the pairs within `bytes`.
void ByteCounts::count_pairs(std::span<const std::uint8_t> bytes) {
    std::uint32_t* const even = pairs_[0].data();
    std::uint32_t* const odd = pairs_[1].data();
    const auto pair_at = [](const std::uint8_t* at) {
        std::uint16_t pair = 0;
        std::memcpy(&pair, at, sizeof pair);
        return pair;
    };
    const std::uint8_t* at = bytes.data();
    const std::uint8_t* const last = at + bytes.size() - 1;
    for (; last - at >= 2; at += 2) {
        ++even[pair_at(at)];
        ++odd[pair_at(at + 1)];
    }
    if (at != last) ++even[pair_at(at)];
}

void ByteCounts::finish(std::span<std::int64_t> counts) {
    if (since_finished_ == 0) return;
    std::array<std::uint64_t, 256> hashes{};
    for (unsigned byte = 0; byte < 256; ++byte) hashes[byte] = hash_of_byte(byte);
    const auto bucket = [this](std::uint64_t hash) { return hashing::bucket_of(hash, buckets_); };
    for (unsigned second = 0; second < 256; ++second) {
        std::uint64_t of_byte = firsts_[second];
        for (unsigned first = 0; first < 256; ++first) {
            const std::size_t at = first + std::size_t{256} * second;
            const std::uint64_t of_pair = std::uint64_t{pairs_[0][at]} + pairs_[1][at];
            if (of_pair == 0) continue;
            of_byte += of_pair;
            counts[bucket(hashing::extend_hash(hashes[first], hashes[second]))] +=
                static_cast<std::int64_t>(of_pair);
        }
        if (of_byte != 0) counts[bucket(hashes[second])] += static_cast<std::int64_t>(of_byte);
    }
    firsts_ = {};
    for (std::vector<std::uint32_t>& table : pairs_) std::fill(table.begin(), table.end(), 0);
    since_finished_ = 0;
}

}  // namespace dsir::ngram
