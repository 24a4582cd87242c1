#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ngram/feature_spec.hpp"
#include "simd/fast_ngrams.hpp"
#include "text/token_buffer.hpp"

namespace dsir::ngram {

/// The buckets of one document's n-grams with hash="fast", in several numbers of buckets and
/// orders. Each n-gram is hashed once. The buckets are those of FastNgrams, in another order.
class FastNgramsOfSeveral {
  public:
    explicit FastNgramsOfSeveral(std::span<const FeatureSpec> specs)
        : steps_(simd::hash_steps(simd::active_level())) {
        for (const FeatureSpec& spec : specs) {
            wanted_.push_back({spec.n, spec.buckets, 0, {}});
            n_ = std::max(n_, spec.n);
        }
    }

    void start_document() { before_ = 0; }

    /// Makes the buckets of the n-grams that end at a token of this stretch. Copies the hashes of
    /// the tokens to `hashes` as well, unless it is null.
    void take(const text::TokenBuffer& tokens, std::uint64_t* hashes = nullptr) {
        for (Wanted& one : wanted_) {
            one.size = 0;
            const std::size_t room = one.n * tokens.size() + simd::kBucketSlack;
            if (one.found.size() < room) one.found.resize(room);
        }
        for (std::size_t first = 0; first < tokens.size(); first += kSome) {
            take_some({tokens.bytes.get(), tokens.starts.get() + first, tokens.ends.get() + first,
                       std::min(kSome, tokens.size() - first)});
            if (hashes != nullptr) {
                const std::size_t count = std::min(kSome, tokens.size() - first);
                std::copy_n(hashes_[0].data() + 1, count, hashes + first);
            }
        }
    }

    /// The buckets of the last stretch, in the numbers of one of the specs; valid until the next.
    std::span<const std::uint32_t> operator[](std::size_t spec) const {
        return {wanted_[spec].found.data(), wanted_[spec].size};
    }

  private:
    /// Few enough tokens that their hashes stay in the first-level cache.
    static constexpr std::size_t kSome = 128;

    struct Wanted {
        unsigned n;
        std::uint32_t buckets;
        std::size_t size;  ///< how many of `found` are of the last stretch
        std::vector<std::uint32_t> found;
    };

    void take_some(const simd::TokenView& tokens) {
        const std::size_t count = tokens.count;
        // Entry 0 of each array belongs to the token before.
        const std::uint64_t* const token = hashes_[0].data() + 1;
        steps_.hash(tokens, hashes_[0].data() + 1);
        for (unsigned order = 1; order <= n_; ++order) {
            std::array<std::uint64_t, kRoom>& of_order = hashes_[order - 1];
            if (order > 1) {
                steps_.extend(hashes_[order - 2].data(), token, count, of_order.data() + 1);
            }
            // The first tokens of a document end no n-gram of this order.
            const std::size_t missing = order - 1 > before_ ? order - 1 - before_ : 0;
            if (missing >= count) continue;
            for (Wanted& one : wanted_) {
                if (order > one.n) continue;
                steps_.buckets(of_order.data() + 1 + missing, count - missing, one.buckets,
                               one.found.data() + one.size);
                one.size += count - missing;
            }
        }
        for (unsigned order = 1; order <= n_; ++order) {
            std::array<std::uint64_t, kRoom>& of_order = hashes_[order - 1];
            of_order[0] = of_order[count];
        }
        before_ = static_cast<unsigned>(std::min<std::size_t>(n_, before_ + count));
    }

    static constexpr std::size_t kRoom = 1 + kSome + simd::kBucketSlack;

    simd::HashSteps steps_;
    std::vector<Wanted> wanted_;
    unsigned n_ = 1;
    unsigned before_ = 0;  ///< tokens of the document so far, counted up to n
    std::array<std::array<std::uint64_t, kRoom>, kMaxOrder> hashes_{};  ///< by order - 1
};

}  // namespace dsir::ngram
