#include "simd/fast_ngrams.hpp"

#include "simd/fast_ngrams_loop.hpp"

namespace dsir::simd {
namespace {

/// AArch64 has no other: NEON multiplies 32 bits at most, and four such products cost more than one
/// MUL and one UMULH.
struct Scalar : OneByOne<Scalar> {
    static std::uint64_t token_hash(const std::uint8_t* bytes, std::size_t length) {
        return hashing::token_hash(bytes, length);
    }
};

}  // namespace

std::size_t fast_ngrams_scalar(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                               FastNgramsBefore& before, std::uint32_t* out) {
    return fast_ngrams<Scalar>(tokens, n, buckets, before, out);
}

void token_hashes_scalar(const TokenView& tokens, std::uint64_t* out) {
    Scalar::hash(tokens.bytes, tokens.starts, tokens.ends, tokens.count, out);
}

FastNgrams fast_ngrams_kernel(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return fast_ngrams_avx512;
    if (level == Level::avx2) return fast_ngrams_avx2;
#endif
    (void)level;
    return fast_ngrams_scalar;
}

TokenHashes token_hashes_kernel(Level level) {
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Level::avx512) return token_hashes_avx512;
    if (level == Level::avx2) return token_hashes_avx2;
#endif
    (void)level;
    return token_hashes_scalar;
}

}  // namespace dsir::simd
