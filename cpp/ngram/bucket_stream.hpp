#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "ngram/fast_ngrams.hpp"
#include "ngram/feature_spec.hpp"
#include "ngram/sha256_ngrams.hpp"
#include "text/nfc.hpp"
#include "text/token_buffer.hpp"
#include "text/tokenizers.hpp"

namespace dsir::ngram {

/// Turns documents into the buckets of their n-grams. Holds scratch memory, so use one per thread.
class BucketStream {
  public:
    explicit BucketStream(const FeatureSpec& spec)
        : ngrams_(spec.hash == HashKind::fast ? Ngrams(std::in_place_type<FastNgrams>, spec)
                                              : Ngrams(std::in_place_type<Sha256Ngrams>, spec)),
          tokenizer_(spec.tokenizer) {
        if (spec.form == text::Form::nfc) nfc_.emplace();
    }

    struct Outcome {
        std::uint64_t tokens;
        /// False if the document is not UTF-8, or too long in its form. The stretches before the
        /// bad bytes were delivered.
        bool valid;
    };

    /// Calls sink(std::span<const std::uint32_t>) for every stretch of the document, with the
    /// buckets of the stretch's n-grams in some order. The same document always gives the same
    /// calls, even if the document is not valid.
    template <class Sink>
    Outcome run(std::string_view document, Sink&& sink) {
        if (nfc_) {
            const std::optional<std::string_view> in_form = (*nfc_)(document);
            if (!in_form) return {0, false};
            document = *in_form;
        }
        return text::visit_tokenizer(tokenizer_, [&]<class Entry>(const Entry&) {
            return run_with<typename Entry::Tokens>(document, sink);
        });
    }

  private:
    using Ngrams = std::variant<FastNgrams, Sha256Ngrams>;

    template <class Tokenizer, class Sink>
    Outcome run_with(std::string_view document, Sink& sink) {
        return std::visit(
            [&](auto& ngrams) {
                ngrams.start_document();
                Tokenizer tokenizer(document, buffer_);
                std::uint64_t tokens = 0;
                while (tokenizer.next()) {
                    tokens += buffer_.size();
                    sink(ngrams.take(buffer_));
                }
                return Outcome{tokens, tokenizer.valid()};
            },
            ngrams_);
    }

    Ngrams ngrams_;
    text::TokenizerKind tokenizer_;
    std::optional<text::Nfc> nfc_;  ///< if documents are brought into this form
    text::TokenBuffer buffer_;
};

}  // namespace dsir::ngram
