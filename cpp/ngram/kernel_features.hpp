#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ngram/feature_spec.hpp"
#include "simd/fast_ngrams.hpp"
#include "text/token_buffer.hpp"

namespace dsir::ngram {

/// Turns the tokens of a document into buckets by a FeatureKernel. Memory: the hashes and the
/// features of one document.
class KernelFeatures {
  public:
    explicit KernelFeatures(const FeatureSpec& spec)
        : hash_(simd::token_hashes_kernel(simd::active_level())),
          kernel_(spec.kernel),
          most_(spec.kernel_most),
          buckets_(spec.buckets) {}

    void start_document() { size_ = 0; }

    /// Keeps the hashes of the tokens. There are no buckets before the document's end.
    std::span<const std::uint32_t> take(const text::TokenBuffer& tokens);

    /// The buckets of the document. Throws text::KernelError if the kernel breaks its contract.
    std::span<const std::uint32_t> finish();

  private:
    simd::TokenHashes hash_;
    FeatureKernel kernel_;
    std::uint32_t most_;
    std::uint32_t buckets_;
    std::vector<std::uint64_t> hashes_;  ///< of the document's tokens; the first `size_`
    std::size_t size_ = 0;
    std::vector<std::uint32_t> found_;
};

}  // namespace dsir::ngram
