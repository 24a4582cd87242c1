#include "ngram/byte_ngrams.hpp"

#include <algorithm>

#include "hashing/fast_hash.hpp"

namespace dsir::ngram {
namespace {

/// After so many bytes the table of pairs has paid for itself. A short text never makes it.
constexpr std::size_t kPairsPay = std::size_t{1} << 19;

}  // namespace

std::uint64_t hash_of_byte(unsigned byte) {
    std::array<std::uint8_t, 8> token{static_cast<std::uint8_t>(byte)};
    if (byte < 0x80) return hashing::token_hash(token.data(), 1);
    token[0] = static_cast<std::uint8_t>(0xC0 | (byte >> 6));
    token[1] = static_cast<std::uint8_t>(0x80 | (byte & 0x3F));
    return hashing::token_hash(token.data(), 2);
}

ByteNgrams::ByteNgrams(const FeatureSpec& spec) : n_(spec.n), buckets_(spec.buckets) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        hashes_[byte] = hash_of_byte(byte);
        unigrams_[byte] = hashing::bucket_of(hashes_[byte], buckets_);
    }
}

std::span<const std::uint32_t> ByteNgrams::take(std::span<const std::uint8_t> bytes) {
    if (bytes.empty()) return {};
    if (found_.size() < n_ * bytes.size()) found_.resize(n_ * bytes.size());
    seen_ += bytes.size();
    if (n_ == 2 && pairs_.empty() && seen_ > kPairsPay) make_pairs();
    std::uint32_t* const begin = found_.data();
    std::uint32_t* const end = n_ == 2 ? take_pairs(bytes, begin) : take_orders(bytes, begin);
    before_ = static_cast<unsigned>(std::min<std::size_t>(n_, before_ + bytes.size()));
    return {begin, static_cast<std::size_t>(end - begin)};
}

void ByteNgrams::make_pairs() {
    pairs_.resize(256 * 256);
    for (unsigned first = 0; first < 256; ++first) {
        for (unsigned second = 0; second < 256; ++second) {
            const std::uint64_t hash = hashing::extend_hash(hashes_[first], hashes_[second]);
            pairs_[first * 256 + second] = hashing::bucket_of(hash, buckets_);
        }
    }
}

std::uint32_t* ByteNgrams::take_pairs(std::span<const std::uint8_t> bytes, std::uint32_t* out) {
    std::size_t last = last_;
    std::size_t k = 0;
    if (before_ == 0) {
        last = bytes[0];
        *out++ = unigrams_[last];
        k = 1;
    }
    if (!pairs_.empty()) {
        const std::uint32_t* const pairs = pairs_.data();
        for (; k < bytes.size(); ++k, out += 2) {
            const std::size_t byte = bytes[k];
            out[0] = unigrams_[byte];
            out[1] = pairs[last * 256 + byte];
            last = byte;
        }
    }
    for (; k < bytes.size(); ++k, out += 2) {
        const std::size_t byte = bytes[k];
        out[0] = unigrams_[byte];
        out[1] = hashing::bucket_of(hashing::extend_hash(hashes_[last], hashes_[byte]), buckets_);
        last = byte;
    }
    last_ = static_cast<std::uint8_t>(last);
    return out;
}

std::uint32_t* ByteNgrams::take_orders(std::span<const std::uint8_t> bytes, std::uint32_t* out) {
    std::size_t before = before_;
    for (const std::uint8_t byte : bytes) {
        const std::uint64_t token = hashes_[byte];
        *out++ = unigrams_[byte];
        // From the longest down, so that each extends what ended at the byte before.
        for (std::size_t order = std::min<std::size_t>(n_ - 1, before); order >= 1; --order) {
            ending_[order] = hashing::extend_hash(ending_[order - 1], token);
            *out++ = hashing::bucket_of(ending_[order], buckets_);
        }
        ending_[0] = token;
        ++before;
    }
    return out;
}

}  // namespace dsir::ngram
