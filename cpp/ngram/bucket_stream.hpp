#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "ngram/any_ngrams.hpp"
#include "ngram/byte_ngrams.hpp"
#include "ngram/feature_spec.hpp"
#include "text/normalizer.hpp"
#include "text/token_buffer.hpp"
#include "text/tokenizers.hpp"

namespace dsir::ngram {

/// Turns documents into the buckets of their n-grams. Holds scratch memory, so use one per thread.
class BucketStream {
  public:
    /// The most buckets that a call of a sink gets.
    static constexpr std::size_t kMostAtOnce = kMostBucketsAtOnce;

    explicit BucketStream(const FeatureSpec& spec)
        : ngrams_(ngrams_of(spec)), cutting_(spec.cutting), n_(spec.n) {
        if (spec.form != text::Form::as_is) normalizer_.emplace(spec.form);
        if (std::holds_alternative<FastNgrams>(ngrams_) && cuts_characters(spec.cutting)) {
            byte_ngrams_.emplace(spec);
        }
    }

    struct Outcome {
        std::uint64_t tokens;
        std::uint64_t features;  ///< buckets of a valid document, each as often as it was delivered
        /// False if the document is not UTF-8, or too long in its form. The stretches before the
        /// bad bytes were delivered.
        bool valid;
    };

    /// Calls sink(std::span<const std::uint32_t>) for every stretch of the document, with the
    /// buckets of the stretch's n-grams in some order. The same document always gives the same
    /// calls, even if the document is not valid.
    template <class Sink>
    Outcome run(std::string_view document, Sink&& sink) {
        if (normalizer_) {
            const std::optional<std::string_view> in_form = (*normalizer_)(document);
            if (!in_form) return {0, 0, false};
            document = *in_form;
        }
        if (byte_ngrams_ &&
            (cutting_.kind == text::TokenizerKind::bytes || text::is_ascii(document))) {
            return run_bytes(document, sink);
        }
        return text::visit_tokens(cutting_, document, buffer_,
                                  [&](auto& tokenizer) { return run_with(tokenizer, sink); });
    }

  private:
    /// Whether the tokens of ASCII are its visible bytes.
    static bool cuts_characters(const text::Cutting& cutting) {
        using enum text::TokenizerKind;
        return cutting.kernel == nullptr &&
               (cutting.kind == bytes || cutting.kind == chars || cutting.kind == codepoints);
    }

    template <class Sink>
    Outcome run_bytes(std::string_view document, Sink& sink) {
        text::ByteTokens tokenizer(document, buffer_, cutting_.letters);
        byte_ngrams_->start_document();
        std::uint64_t tokens = 0;
        for (auto bytes = tokenizer.next_bytes(); !bytes.empty(); bytes = tokenizer.next_bytes()) {
            tokens += bytes.size();
            sink(byte_ngrams_->take(bytes));
        }
        return {tokens, ngram_count(tokens, n_), tokenizer.valid()};
    }

    template <class Tokenizer, class Sink>
    Outcome run_with(Tokenizer& tokenizer, Sink& sink) {
        return std::visit(
            [&]<class Own>(Own& ngrams) {
                ngrams.start_document();
                std::uint64_t tokens = 0;
                while (tokenizer.next()) {
                    tokens += buffer_.size();
                    sink(ngrams.take(buffer_));
                }
                const bool valid = tokenizer.valid();
                std::uint64_t features = ngram_count(tokens, n_);
                if constexpr (std::same_as<Own, KernelFeatures>) {
                    features = deliver_rest(ngrams, valid, sink);
                }
                return Outcome{tokens, features, valid};
            },
            ngrams_);
    }

    AnyNgrams ngrams_;
    std::optional<ByteNgrams> byte_ngrams_;  ///< if there may be documents whose tokens are bytes
    text::Cutting cutting_;
    unsigned n_;
    std::optional<text::Normalizer> normalizer_;  ///< if documents are brought into a form
    text::TokenBuffer buffer_;
};

}  // namespace dsir::ngram
