#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "simd/fast_ngrams_loop.hpp"

namespace dsir::simd {
namespace {

struct Avx2 : OneByOne<Avx2> {
    /// hashing::token_hash with one branch, on tokens of more than 16 bytes, which are few; on
    /// shorter ones a branch would be guessed wrong often.
    static std::uint64_t token_hash(const std::uint8_t* bytes, std::size_t length) {
        if (length > 16) [[unlikely]]
            return hashing::token_hash(bytes, length);
        // The first eight bytes, fewer where there are fewer: BZHI leaves all where asked for 64
        // bits and more. The last eight where there are more than eight, else nothing.
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
                             FastNgramsBefore& before, std::uint32_t* out) {
    return fast_ngrams<Avx2>(tokens, n, buckets, before, out);
}

void token_hashes_avx2(const TokenView& tokens, std::uint64_t* out) {
    Avx2::hash(tokens.bytes, tokens.starts, tokens.ends, tokens.count, out);
}

}  // namespace dsir::simd
#endif
