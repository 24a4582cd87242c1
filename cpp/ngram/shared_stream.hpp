#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "ngram/any_ngrams.hpp"
#include "ngram/bucket_stream.hpp"
#include "ngram/fast_ngrams_of_several.hpp"
#include "ngram/token_watch.hpp"
#include "simd/fast_ngrams.hpp"
#include "text/normalizer.hpp"

namespace dsir::ngram {

/// Turns documents into the buckets of several kinds of n-grams, whose tokens are the same: each
/// document is cut once, and each n-gram hashed once for all kinds with hash="fast". Holds scratch
/// memory, so use one per thread.
class SharedStream {
  public:
    using Outcome = BucketStream::Outcome;

    /// The specs differ, and have the same `cutting` and `form`.
    explicit SharedStream(std::span<const FeatureSpec> specs)
        : cutting_(specs[0].cutting), outcomes_(specs.size()) {
        if (specs.size() == 1) {
            alone_.emplace(specs[0]);
            return;
        }
        std::vector<FeatureSpec> fast;
        for (std::size_t k = 0; k < specs.size(); ++k) {
            n_.push_back(specs[k].n);
            if (specs[k].kernel == nullptr && specs[k].hash == HashKind::fast) {
                fast.push_back(specs[k]);
                fast_.push_back(k);
            } else {
                others_.emplace_back(k, specs[k]);
            }
        }
        if (fast.size() == 1) {  // One kind alone is faster without hashes in between.
            others_.emplace_back(fast_[0], fast[0]);
            fast_.clear();
        } else if (fast.size() > 1) {
            of_several_.emplace(fast);
        }
        if (specs[0].form != text::Form::as_is) normalizer_.emplace(specs[0].form);
    }

    /// Shows the tokens of all further documents to `watch` as well, or to nobody if it is null.
    void show_tokens_to(TokenWatch* watch) {
        watch_ = watch;
        if (alone_) alone_->show_tokens_to(watch);
    }

    /// Calls sink(spec, std::span<const std::uint32_t>) for every stretch of the document and every
    /// spec's number, as BucketStream::run does. Returns an outcome for each spec. All are valid,
    /// or none is.
    template <class Sink>
    std::span<const Outcome> run(std::string_view document, Sink&& sink) {
        if (alone_) {
            outcomes_[0] = alone_->run(
                document, [&sink](std::span<const std::uint32_t> buckets) { sink(0, buckets); });
            return outcomes_;
        }
        if (normalizer_) {
            const std::optional<std::string_view> in_form = (*normalizer_)(document);
            if (!in_form) {
                for (Outcome& outcome : outcomes_) outcome = {0, 0, false};
                return outcomes_;
            }
            document = *in_form;
        }
        text::visit_tokens(cutting_, document, buffer_,
                           [&](auto& tokenizer) { run_with(tokenizer, sink); });
        return outcomes_;
    }

  private:
    /// Features that are made apart from the others'.
    struct Other {
        Other(std::size_t number, const FeatureSpec& of) : spec(number), ngrams(ngrams_of(of)) {}
        std::size_t spec;
        AnyNgrams ngrams;
    };

    template <class Tokenizer, class Sink>
    void run_with(Tokenizer& tokenizer, Sink& sink) {
        if (of_several_) of_several_->start_document();
        for (Other& other : others_) {
            std::visit([](auto& own) { own.start_document(); }, other.ngrams);
        }
        if (watch_ != nullptr) watch_->start_document();
        std::uint64_t tokens = 0;
        while (tokenizer.next()) {
            tokens += buffer_.size();
            std::uint64_t* const hashes = watch_ == nullptr ? nullptr : room_for_hashes();
            if (of_several_) {
                of_several_->take(buffer_, hashes);
                for (std::size_t k = 0; k < fast_.size(); ++k) sink(fast_[k], (*of_several_)[k]);
            }
            for (Other& other : others_) {
                std::visit([&](auto& own) { sink(other.spec, own.take(buffer_)); }, other.ngrams);
            }
            if (watch_ == nullptr) continue;
            if (!of_several_) hash_tokens(hashes);
            watch_->take({hashes, buffer_.size()});
        }
        const bool valid = tokenizer.valid();
        for (std::size_t k = 0; k < outcomes_.size(); ++k) {
            outcomes_[k] = {tokens, ngram_count(tokens, n_[k]), valid};
        }
        for (Other& other : others_) {
            if (auto* const kernel = std::get_if<KernelFeatures>(&other.ngrams)) {
                const auto rest = [&](std::span<const std::uint32_t> buckets) {
                    sink(other.spec, buckets);
                };
                outcomes_[other.spec].features = deliver_rest(*kernel, valid, rest);
            }
        }
    }

    /// Room for the hashes of the tokens of the buffer.
    std::uint64_t* room_for_hashes() {
        const std::size_t room = buffer_.size() + simd::kBucketSlack;
        if (hashes_.size() < room) hashes_.resize(room);
        return hashes_.data();
    }

    void hash_tokens(std::uint64_t* hashes) const {
        simd::token_hashes_kernel(simd::active_level())(
            {buffer_.bytes.get(), buffer_.starts.get(), buffer_.ends.get(), buffer_.size()},
            hashes);
    }

    text::Cutting cutting_;
    std::optional<BucketStream> alone_;  ///< if there is one spec; nothing else is used then
    std::vector<unsigned> n_;
    std::optional<FastNgramsOfSeveral> of_several_;  ///< if two or more kinds are fast
    std::vector<std::size_t> fast_;                  ///< numbers of the specs of `of_several_`
    std::list<Other> others_;                        // They cannot be moved.
    std::vector<Outcome> outcomes_;
    std::optional<text::Normalizer> normalizer_;  ///< if documents are brought into a form
    text::TokenBuffer buffer_;
    TokenWatch* watch_ = nullptr;
    std::vector<std::uint64_t> hashes_;  ///< of the tokens of a stretch, for `watch_`
};

}  // namespace dsir::ngram
