#if defined(__aarch64__)
#include "simd/fast_ngrams_loop.hpp"

namespace dsir::simd {
namespace {

/// No vectors: NEON multiplies 32 bits at most, and four such products cost more than MUL and UMULH
/// of AArch64 itself. What is gained over the scalar kernel are branches, as with AVX2.
struct Neon : OneByOne<Neon> {
    /// hashing::token_hash with one branch, on tokens of more than 16 bytes.
    static std::uint64_t token_hash(const std::uint8_t* bytes, std::size_t length) {
        if (length > 16) [[unlikely]]
            return hashing::token_hash(bytes, length);
        // The first eight bytes, fewer where there are fewer; the last eight where there are more
        // than eight, else nothing.
        const std::size_t first = length < 8 ? length : 8;
        const std::uint64_t low = hashing::load64(bytes) & (~std::uint64_t{0} >> (64 - 8 * first));
        const std::uint64_t more = length > 8 ? ~std::uint64_t{0} : 0;
        const std::uint64_t high = hashing::load64(bytes + ((length - 8) & more)) & more;
        using hashing::fold;
        return fold(fold(low ^ hashing::kRoot2, high ^ hashing::kRoot3) ^ length, hashing::kRoot5);
    }
};

}  // namespace

std::size_t fast_ngrams_neon(const TokenView& tokens, unsigned n, std::uint32_t buckets,
                             FastNgramsBefore& before, std::uint32_t* out) {
    return fast_ngrams<Neon>(tokens, n, buckets, before, out);
}

void token_hashes_neon(const TokenView& tokens, std::uint64_t* out) {
    Neon::hash(tokens.bytes, tokens.starts, tokens.ends, tokens.count, out);
}

}  // namespace dsir::simd
#endif
