#include "simd/fast_ngrams_loop.hpp"

namespace dsir::simd {
namespace {

/// AArch64 has only this one: NEON multiplies at most 32 bits, and four such products cost more
/// than one MUL and one UMULH.
struct Scalar : OneByOne<Scalar> {
    static std::uint64_t token_hash(const std::uint8_t* bytes, std::size_t length) {
        return hashing::token_hash(bytes, length);
    }
};

}  // namespace

std::size_t fast_ngrams_scalar(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                               FastNgramsBefore& before, std::uint32_t* out,
                               std::uint64_t* hashes) {
    return fast_ngrams<Scalar>(tokens, n, buckets, before, out, hashes);
}

void token_hashes_scalar(const TokenView& tokens, std::uint64_t* out) {
    Scalar::hash(tokens.bytes, tokens.starts, tokens.ends, tokens.count, out);
}

HashSteps hash_steps_scalar() {
    return {&token_hashes_scalar, &Scalar::extend, &Scalar::buckets};
}

}  // namespace dsir::simd
