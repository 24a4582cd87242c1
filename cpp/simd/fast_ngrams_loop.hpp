#pragma once

#include <cstring>

#include "hashing/fast_hash.hpp"
#include "simd/fast_ngrams.hpp"

/// The loop of fast_ngrams.hpp. Each file that knows an instruction set gives a type `Isa`, which
/// has, for arrays of `count` entries,
///
///     void hash(bytes, starts, ends, count, out);     // hashing::token_hash of each token
///     void extend(shorter, tokens, count, out);       // hashing::extend_hash of each pair
///     void buckets(hashes, count, buckets, out);      // hashing::bucket_of of each hash
///
/// These may read and write kBucketSlack more hashes and buckets. `Isa` is in an unnamed namespace,
/// for the reason that cut_blocks.hpp gives.
namespace dsir::simd {

/// Whether the tokens have at most so many halves of a byte each, with what is between them.
[[gnu::always_inline]] inline bool have_at_most(unsigned halves, const TokenView& tokens) {
    if (tokens.count == 0) return false;
    return tokens.ends[tokens.count - 1] - tokens.starts[0] <= halves * tokens.count / 2;
}

/// Bigrams, token by token. Without wide multiplications it is faster to use each hash at once than
/// to store it in between.
template <class Isa, bool kHashes>
inline std::size_t fast_bigrams(const TokenView& tokens, std::uint32_t buckets,
                                FastNgramsBefore& before, std::uint32_t* out,
                                std::uint64_t* hashes) {
    std::uint32_t* const begin = out;
    std::uint64_t last = before.ending[0];
    std::size_t k = 0;
    if (before.tokens == 0 && tokens.count != 0) {
        last = Isa::token_hash(tokens.bytes + tokens.starts[0], tokens.ends[0] - tokens.starts[0]);
        *out++ = hashing::bucket_of(last, buckets);
        if constexpr (kHashes) hashes[0] = last;
        before.tokens = 1;
        k = 1;
    }
    for (; k < tokens.count; ++k, out += 2) {
        const std::uint64_t token =
            Isa::token_hash(tokens.bytes + tokens.starts[k], tokens.ends[k] - tokens.starts[k]);
        out[0] = hashing::bucket_of(token, buckets);
        if constexpr (kHashes) hashes[k] = token;
        out[1] = hashing::bucket_of(hashing::extend_hash(last, token), buckets);
        last = token;
    }
    before.ending[0] = last;
    return static_cast<std::size_t>(out - begin);
}

template <class Isa>
inline std::size_t fast_ngrams(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                               FastNgramsBefore& before, std::uint32_t* out,
                               std::uint64_t* hashes) {
    if constexpr (Isa::kOneByOne) {
        if (n == 2) {
            return hashes == nullptr
                       ? fast_bigrams<Isa, false>(tokens, buckets, before, out, nullptr)
                       : fast_bigrams<Isa, true>(tokens, buckets, before, out, hashes);
        }
    }
    // Few enough tokens that all arrays stay in the first-level cache. Entry 0 of each array
    // belongs to the token before.
    constexpr std::size_t kSome = 128;
    std::uint64_t token[1 + kSome + kBucketSlack];
    std::uint64_t shorter[1 + kSome + kBucketSlack];
    std::uint64_t longer[1 + kSome + kBucketSlack];
    std::uint32_t* const begin = out;
    for (std::size_t first = 0; first < tokens.count; first += kSome) {
        const std::size_t rest = tokens.count - first;
        const std::size_t count = rest < kSome ? rest : kSome;
        token[0] = before.ending[0];
        Isa::hash(tokens.bytes, tokens.starts + first, tokens.ends + first, count, token + 1);
        if (hashes != nullptr) std::memcpy(hashes + first, token + 1, count * sizeof *hashes);
        Isa::buckets(token + 1, count, buckets, out);
        out += count;
        before.ending[0] = token[count];
        std::uint64_t* from = token;
        std::uint64_t* to = longer;
        for (unsigned order = 2; order <= n; ++order) {
            to[0] = before.ending[order - 1];
            Isa::extend(from, token + 1, count, to + 1);
            before.ending[order - 1] = to[count];
            // The first tokens of a document end no n-gram of this order.
            const std::size_t missing = order - 1 > before.tokens ? order - 1 - before.tokens : 0;
            if (missing < count) {
                Isa::buckets(to + 1 + missing, count - missing, buckets, out);
                out += count - missing;
            }
            from = to;
            to = to == longer ? shorter : longer;
        }
        before.tokens =
            before.tokens + count < n ? before.tokens + static_cast<unsigned>(count) : n;
    }
    return static_cast<std::size_t>(out - begin);
}

/// Gives `Isa` the three functions for arrays, made from Isa::token_hash(bytes, length) of one
/// token.
template <class Isa>
struct OneByOne {
    static constexpr bool kOneByOne = true;

    static void hash(const std::uint8_t* bytes, const std::uint32_t* starts,
                     const std::uint32_t* ends, std::size_t count, std::uint64_t* out) {
        for (std::size_t k = 0; k < count; ++k) {
            out[k] = Isa::token_hash(bytes + starts[k], ends[k] - starts[k]);
        }
    }

    static void extend(const std::uint64_t* shorter, const std::uint64_t* tokens, std::size_t count,
                       std::uint64_t* out) {
        for (std::size_t k = 0; k < count; ++k) {
            out[k] = hashing::extend_hash(shorter[k], tokens[k]);
        }
    }

    static void buckets(const std::uint64_t* hashes, std::size_t count, std::uint32_t buckets,
                        std::uint32_t* out) {
        for (std::size_t k = 0; k < count; ++k) out[k] = hashing::bucket_of(hashes[k], buckets);
    }
};

}  // namespace dsir::simd
