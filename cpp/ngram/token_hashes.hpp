#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "simd/fast_ngrams.hpp"
#include "text/normalizer.hpp"
#include "text/token_buffer.hpp"
#include "text/tokenizers.hpp"

namespace dsir::ngram {

/// How texts are cut into the tokens that n-grams are made of.
struct Tokens {
    text::Cutting cutting = {};
    text::Form form = text::Form::as_is;
};

/// Gives the hashes of a document's tokens. Holds scratch memory, so use one per thread.
class TokenHashes {
  public:
    explicit TokenHashes(const Tokens& tokens)
        : cutting_(tokens.cutting), kernel_(simd::token_hashes_kernel(simd::active_level())) {
        if (tokens.form != text::Form::as_is) normalizer_.emplace(tokens.form);
    }

    /// Calls sink(std::span<const std::uint64_t>) with the hashes of each stretch of tokens.
    /// Returns false if the document is not UTF-8, or too long in its form; part of it may have
    /// been given.
    template <class Sink>
    bool run(std::string_view document, Sink&& sink) {
        if (normalizer_) {
            const std::optional<std::string_view> in_form = (*normalizer_)(document);
            if (!in_form) return false;
            document = *in_form;
        }
        return text::visit_tokens(cutting_, document, buffer_, [&](auto& tokenizer) {
            while (tokenizer.next()) sink(hashes());
            return tokenizer.valid();
        });
    }

  private:
    std::span<const std::uint64_t> hashes() {
        const std::size_t size = buffer_.size();
        if (hashes_.size() < size + simd::kBucketSlack) hashes_.resize(size + simd::kBucketSlack);
        kernel_({buffer_.bytes.get(), buffer_.starts.get(), buffer_.ends.get(), size},
                hashes_.data());
        return {hashes_.data(), size};
    }

    text::Cutting cutting_;
    std::optional<text::Normalizer> normalizer_;  ///< if documents are brought into a form
    simd::TokenHashes kernel_;
    text::TokenBuffer buffer_;
    std::vector<std::uint64_t> hashes_;  ///< of the tokens of a stretch
};

}  // namespace dsir::ngram
