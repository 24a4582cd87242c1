#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "arrow/text_column.hpp"
#include "hashing/fast_hash.hpp"
#include "ngram/large_array.hpp"
#include "ngram/token_hashes.hpp"

/// Finds documents that share n-grams of tokens with given texts, such as those of benchmarks.
namespace dsir::contamination {

inline constexpr unsigned kMinOrder = 1;
inline constexpr unsigned kMaxOrder = 1024;

/// The n-grams of some texts, by 64-bit hashes made of the hashes of their tokens
/// (hashing/fast_hash.hpp). Two different n-grams have the same hash with a probability of 2^-64.
///
/// A document need not look every n-gram up. Any n tokens in a row hold a whole block of
/// m = (n + 1) / 2 tokens that begins at a multiple of m. So a document looks up its blocks, one in
/// m tokens, among all runs of m tokens of the texts, and compares n-grams only around a block that
/// is there. The outcome is the same as if every n-gram were looked up.
///
/// Immutable once made, so threads may share it. Memory: about 30 bytes a token of the texts.
class NgramIndex {
  public:
    static constexpr std::uint32_t kNone = 0xFFFFFFFFU;

    /// Takes the n-grams of the rows of `texts`, at most 2^32 - 2 rows. Rows that are null, not
    /// UTF-8 or shorter than n tokens have none.
    NgramIndex(const arrow::TextColumn& texts, const ngram::Tokens& tokens, unsigned n);

    unsigned n() const { return n_; }
    unsigned block() const { return block_; }
    const ngram::Tokens& tokens() const { return tokens_; }

    /// The number of different n-grams.
    std::size_t size() const { return ngrams_; }

    /// By text, the number of its tokens.
    std::span<const std::uint32_t> lengths() const { return lengths_; }

    /// The hash of the n-gram that begins with a token, by the hashes of its tokens.
    std::uint64_t ngram_at(const std::uint64_t* tokens) const;

    /// The hash of the block that begins with a token. Only the filter uses it, so it is cheap
    /// rather than strong.
    std::uint64_t block_at(const std::uint64_t* tokens) const {
        std::uint64_t hash = tokens[0];
        for (unsigned i = 1; i < block_; ++i) hash = hash * hashing::kRoot2 + tokens[i];
        return hash;
    }

    /// Asks the memory for what may_have_block() reads.
    void prefetch(std::uint64_t block) const { __builtin_prefetch(&words_[word_of(block)]); }

    /// Whether a run of m tokens may be in the texts. Sometimes true for one that is not.
    bool may_have_block(std::uint64_t block) const {
        const std::uint64_t bits = bits_of(block);
        return (words_[word_of(block)] & bits) == bits;
    }

    /// The slot of an n-gram, which tells different n-grams apart, or kNone if no text has it.
    std::uint32_t slot_of(std::uint64_t ngram) const;

    /// The first text that has the n-gram in a slot.
    std::uint32_t text_of(std::uint32_t slot) const { return slots_[slot].text; }

  private:
    struct Slot {
        std::uint64_t ngram = 0;
        std::uint32_t text = kNone;  ///< kNone if the slot is free
    };

    void add(std::uint64_t ngram, std::uint32_t text);
    void add_block(std::uint64_t block) { words_[word_of(block)] |= bits_of(block); }

    std::size_t word_of(std::uint64_t block) const { return block & (words_.size() - 1); }
    /// Three bits of a word, from bits of the hash that word_of() does not use.
    static std::uint64_t bits_of(std::uint64_t block) {
        return (std::uint64_t{1} << (block >> 58)) | (std::uint64_t{1} << ((block >> 52) & 63)) |
               (std::uint64_t{1} << ((block >> 46) & 63));
    }

    unsigned n_;
    unsigned block_;
    ngram::Tokens tokens_;
    std::size_t ngrams_ = 0;
    std::vector<std::uint32_t> lengths_;
    ngram::LargeArray<std::uint64_t> words_{1};  ///< a filter of the blocks; a power of two
    ngram::LargeArray<Slot> slots_{1};           ///< open addressing; a power of two
};

}  // namespace dsir::contamination
