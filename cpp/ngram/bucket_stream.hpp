#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "ngram/any_ngrams.hpp"
#include "ngram/byte_ngrams.hpp"
#include "ngram/feature_spec.hpp"
#include "ngram/token_watch.hpp"
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

    /// Shows the tokens of all further documents to `watch` as well, or to nobody if it is null.
    void show_tokens_to(TokenWatch* watch) { watch_ = watch; }

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
        // A watch sees the hashes of tokens, which the tables of bytes do not make.
        if (byte_ngrams_ && watch_ == nullptr &&
            (cutting_.kind == text::TokenizerKind::bytes || text::is_ascii(document))) {
            return run_bytes(document, sink);
        }
        return text::visit_tokens(cutting_, document, buffer_,
                                  [&](auto& tokenizer) { return run_with(tokenizer, sink); });
    }

    /// Whether the tokens of ASCII are its visible bytes.
    static bool cuts_characters(const text::Cutting& cutting) {
        using enum text::TokenizerKind;
        return cutting.kernel == nullptr &&
               (cutting.kind == bytes || cutting.kind == chars || cutting.kind == codepoints);
    }

  private:
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
                if (watch_ != nullptr) watch_->start_document();
                while (tokenizer.next()) {
                    tokens += buffer_.size();
                    sink(watch_ == nullptr ? ngrams.take(buffer_) : take_watched(ngrams));
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

    /// Takes the tokens of the buffer, and shows their hashes to the watch first.
    template <class Own>
    std::span<const std::uint32_t> take_watched(Own& ngrams) {
        const std::size_t size = buffer_.size();
        if (hashes_.size() < size + simd::kBucketSlack) hashes_.resize(size + simd::kBucketSlack);
        std::span<const std::uint32_t> buckets;
        if constexpr (std::same_as<Own, FastNgrams>) {
            buckets = ngrams.take(buffer_, hashes_.data());
        } else {
            buckets = ngrams.take(buffer_);
            simd::token_hashes_kernel(simd::active_level())(
                {buffer_.bytes.get(), buffer_.starts.get(), buffer_.ends.get(), size},
                hashes_.data());
        }
        watch_->take({hashes_.data(), size});
        return buckets;
    }

    AnyNgrams ngrams_;
    std::optional<ByteNgrams> byte_ngrams_;  ///< if there may be documents whose tokens are bytes
    text::Cutting cutting_;
    unsigned n_;
    std::optional<text::Normalizer> normalizer_;  ///< if documents are brought into a form
    text::TokenBuffer buffer_;
    TokenWatch* watch_ = nullptr;
    std::vector<std::uint64_t> hashes_;  ///< of the tokens of a stretch, for `watch_`
};

}  // namespace dsir::ngram
