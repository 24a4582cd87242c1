#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ngram/feature_spec.hpp"
#include "text/token_buffer.hpp"

namespace dsir::ngram {

/// Turns the tokens of a document into buckets by a FeatureKernel. Memory: the hashes and the
/// features of one document.
class KernelFeatures {
  public:
    explicit KernelFeatures(const FeatureSpec& spec)
        : kernel_(spec.kernel), most_(spec.kernel_most), buckets_(spec.buckets) {}

    void start_document() { hashes_.clear(); }

    /// Keeps the hashes of the tokens. There are no buckets before the document's end.
    std::span<const std::uint32_t> take(const text::TokenBuffer& tokens);

    /// The buckets of the document. Throws text::KernelError if the kernel breaks its contract.
    std::span<const std::uint32_t> finish();

  private:
    FeatureKernel kernel_;
    std::uint32_t most_;
    std::uint32_t buckets_;
    std::vector<std::uint64_t> hashes_;
    std::vector<std::uint32_t> found_;
};

}  // namespace dsir::ngram
