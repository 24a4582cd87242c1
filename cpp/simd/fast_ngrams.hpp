#pragma once

#include <cstddef>
#include <cstdint>

#include "simd/cpu.hpp"

/// The buckets of n-grams by the hash "fast" (hashing/fast_hash.hpp), for one stretch of tokens at
/// a time.
namespace dsir::simd {

/// Tokens as they lie in a token buffer, anywhere in it. From the start of any token 16 bytes must
/// be readable, however short the token is.
struct TokenView {
    const std::uint8_t* bytes;
    const std::uint32_t* starts;
    const std::uint32_t* ends;
    std::size_t count;
};

inline constexpr unsigned kFastNgramsLargestOrder = 8;

/// What a stretch must know of the tokens before it. All zero at the start of a document.
struct FastNgramsBefore {
    unsigned tokens;  ///< tokens of the document so far, counted up to n
    std::uint64_t ending[kFastNgramsLargestOrder];  ///< [i]: hash of the last (i + 1)-gram
};

/// Writes the buckets of all n-grams of orders 1 to n that end at one of the tokens, in some order,
/// and returns their number. n is at most kFastNgramsLargestOrder, `buckets` at most 2^24. `out`
/// must have room for n * count + kBucketSlack entries. If `hashes` is not null, the hash of every
/// token is written there as well, and it must have room for count + kBucketSlack entries.
using FastNgrams = std::size_t (*)(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                                   FastNgramsBefore& before, std::uint32_t* out,
                                   std::uint64_t* hashes);

inline constexpr std::size_t kBucketSlack = 8;

/// The kernel of a width. For a width that the build does not have, the scalar kernel.
FastNgrams fast_ngrams_kernel(Level level);

std::size_t fast_ngrams_scalar(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                               FastNgramsBefore& before, std::uint32_t* out, std::uint64_t* hashes);
std::size_t fast_ngrams_avx2(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                             FastNgramsBefore& before, std::uint32_t* out, std::uint64_t* hashes);
std::size_t fast_ngrams_avx512(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                               FastNgramsBefore& before, std::uint32_t* out, std::uint64_t* hashes);

/// Writes the hash of every token. `out` must have room for kBucketSlack entries more.
using TokenHashes = void (*)(const TokenView& tokens, std::uint64_t* out);
TokenHashes token_hashes_kernel(Level level);

/// The steps of a FastNgrams kernel, for those who use a hash more than once. Arrays have `count`
/// entries; kBucketSlack more of each must be readable, and writable if they are written to.
struct HashSteps {
    TokenHashes hash;
    /// out[k] is the hash of the n-gram that is shorter[k] and the token tokens[k].
    void (*extend)(const std::uint64_t* shorter, const std::uint64_t* tokens, std::size_t count,
                   std::uint64_t* out);
    void (*buckets)(const std::uint64_t* hashes, std::size_t count, std::uint32_t buckets,
                    std::uint32_t* out);
};
HashSteps hash_steps(Level level);

HashSteps hash_steps_scalar();
HashSteps hash_steps_avx2();
HashSteps hash_steps_avx512();

void token_hashes_scalar(const TokenView& tokens, std::uint64_t* out);
void token_hashes_avx2(const TokenView& tokens, std::uint64_t* out);
void token_hashes_avx512(const TokenView& tokens, std::uint64_t* out);

}  // namespace dsir::simd
