#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "simd/fast_ngrams_loop.hpp"

namespace dsir::simd {
namespace {

struct Avx2 : OneByOne<Avx2> {
    /// hashing::token_hash with a single branch, which is taken for tokens of more than 16 bytes.
    /// Those are few; a branch among shorter tokens would often be mispredicted.
    static std::uint64_t token_hash(const std::uint8_t* bytes, std::size_t length) {
        if (length > 16) [[unlikely]]
            return hashing::token_hash(bytes, length);
        // The first eight bytes of the token, or as many as it has: BZHI keeps all bits when asked
        // for 64 or more. Then the last eight bytes if the token has more than eight, else zero.
        const std::uint64_t low =
            _bzhi_u64(hashing::load64(bytes), static_cast<unsigned>(8 * length));
        const std::uint64_t more = length > 8 ? ~std::uint64_t{0} : 0;
        const std::uint64_t high = hashing::load64(bytes + ((length - 8) & more)) & more;
        using hashing::fold;
        return fold(fold(low ^ hashing::kRoot2, high ^ hashing::kRoot3) ^ length, hashing::kRoot5);
    }
};

}  // namespace

std::size_t fast_ngrams_avx2(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                             FastNgramsBefore& before, std::uint32_t* out, std::uint64_t* hashes) {
    return fast_ngrams<Avx2>(tokens, n, buckets, before, out, hashes);
}

void token_hashes_avx2(const TokenView& tokens, std::uint64_t* out) {
    Avx2::hash(tokens.bytes, tokens.starts, tokens.ends, tokens.count, out);
}

HashSteps hash_steps_avx2() {
    return {&token_hashes_avx2, &Avx2::extend, &Avx2::buckets};
}

}  // namespace dsir::simd
#endif
