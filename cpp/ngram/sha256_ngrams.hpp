#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "hashing/fast_hash.hpp"
#include "hashing/sha256.hpp"
#include "ngram/feature_spec.hpp"
#include "text/token_buffer.hpp"

namespace dsir::ngram {

/// Buckets of the n-grams of one document with hash="sha256": the reference's, which hashes the
/// tokens joined by one space.
///
/// Most n-grams of a text have been seen shortly before, so buckets are remembered in a
/// direct-mapped table under the n-gram itself. The whole n-gram is compared, never a hash of it:
/// the answer is SHA-256's whatever the table holds. Longer n-grams than a slot holds (27 bytes)
/// are hashed each time.
class Sha256Ngrams {
  public:
    explicit Sha256Ngrams(const FeatureSpec& spec)
        : n_(spec.n), bucket_of_(spec.buckets), slots_(kSlots) {}

    void start_document() {
        last_.clear();
        lengths_filled_ = 0;
    }

    /// The buckets of the n-grams that end at a token of this stretch, valid until the next call.
    std::span<const std::uint32_t> take(const text::TokenBuffer& tokens) {
        found_.clear();
        for (std::size_t k = 0; k < tokens.size(); ++k) {
            append(tokens.bytes.get() + tokens.starts[k], tokens.ends[k] - tokens.starts[k]);
            std::size_t length = 0;
            for (unsigned i = 0; i < lengths_filled_; ++i) {
                length += lengths_[i] + (i == 0 ? 0 : 1);
                found_.push_back(bucket(last_.data() + end_ - length, length));
            }
        }
        return found_;
    }

  private:
    static constexpr std::size_t kSlots = std::size_t{1} << 15;
    static constexpr std::size_t kSlotBytes = 27;
    static constexpr std::size_t kPadding = 32;

    struct alignas(32) Slot {
        std::uint32_t bucket = 0;
        std::uint8_t length = 0;  ///< 0: empty
        std::array<std::uint8_t, kSlotBytes> bytes{};
    };

    /// Puts a token behind the last ones, with a space between, and keeps n of them.
    void append(const std::uint8_t* token, std::size_t length) {
        if (lengths_filled_ == 0) end_ = 0;
        const std::size_t need = end_ + 1 + length + kPadding;
        if (need > last_.size()) make_room(length);
        if (lengths_filled_ != 0) last_[end_++] = ' ';
        std::memcpy(last_.data() + end_, token, length);
        end_ += length;
        if (lengths_filled_ < n_) ++lengths_filled_;
        for (unsigned i = lengths_filled_; i-- > 1;) lengths_[i] = lengths_[i - 1];
        lengths_[0] = length;
    }

    /// Moves the tokens that still take part in n-grams to the front; grows where that is too few.
    void make_room(std::size_t length) {
        std::size_t keep = 0;
        for (unsigned i = 0; i < lengths_filled_; ++i) keep += lengths_[i] + (i == 0 ? 0 : 1);
        const std::size_t need = 2 * (keep + 1 + length + kPadding);
        std::vector<std::uint8_t> fresh(need < kWindow ? kWindow : need);
        if (keep != 0) std::memcpy(fresh.data(), last_.data() + end_ - keep, keep);
        last_.swap(fresh);
        end_ = keep;
    }

    std::uint32_t bucket(const std::uint8_t* ngram, std::size_t length) {
        if (length > kSlotBytes) return bucket_of_(ngram, length);
        const std::uint64_t where = hashing::token_hash(ngram, length);
        Slot& slot = slots_[where >> (64 - 15)];
        if (slot.length == length && std::memcmp(slot.bytes.data(), ngram, length) == 0) {
            return slot.bucket;
        }
        slot.length = static_cast<std::uint8_t>(length);
        std::memcpy(slot.bytes.data(), ngram, length);
        slot.bucket = bucket_of_(ngram, length);
        return slot.bucket;
    }

    static constexpr std::size_t kWindow = 4096;

    unsigned n_;
    hashing::Sha256Buckets bucket_of_;
    std::vector<Slot> slots_;
    std::vector<std::uint8_t> last_;  ///< the last tokens, joined by spaces, up to end_
    std::size_t end_ = 0;
    std::array<std::size_t, kMaxOrder> lengths_{};  ///< of the last tokens, latest first
    unsigned lengths_filled_ = 0;
    std::vector<std::uint32_t> found_;
};

}  // namespace dsir::ngram
