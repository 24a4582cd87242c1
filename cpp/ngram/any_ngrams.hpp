#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>

#include "ngram/fast_ngrams.hpp"
#include "ngram/feature_spec.hpp"
#include "ngram/kernel_features.hpp"
#include "ngram/sha256_ngrams.hpp"
#include "text/token_buffer.hpp"

namespace dsir::ngram {

/// The most buckets that a sink gets at once.
inline constexpr std::size_t kMostBucketsAtOnce = kMaxOrder * text::kStretchTokens;

/// What makes the buckets of a document of its tokens.
using AnyNgrams = std::variant<FastNgrams, Sha256Ngrams, KernelFeatures>;

inline AnyNgrams ngrams_of(const FeatureSpec& spec) {
    if (spec.kernel != nullptr) return AnyNgrams(std::in_place_type<KernelFeatures>, spec);
    if (spec.hash == HashKind::fast) return AnyNgrams(std::in_place_type<FastNgrams>, spec);
    return AnyNgrams(std::in_place_type<Sha256Ngrams>, spec);
}

/// Gives a sink the buckets that a kernel makes at the end of a document, and returns their number.
template <class Sink>
std::uint64_t deliver_rest(KernelFeatures& ngrams, bool valid, Sink& sink) {
    std::span<const std::uint32_t> found;
    if (valid) found = ngrams.finish();
    const std::uint64_t features = found.size();
    for (; found.size() > kMostBucketsAtOnce; found = found.subspan(kMostBucketsAtOnce)) {
        sink(found.first(kMostBucketsAtOnce));
    }
    sink(found);
    return features;
}

}  // namespace dsir::ngram
