#include <deque>
#include <optional>

#include "digest/sha256.hpp"
#include "hashing/fast_hash.hpp"
#include "ngram/kernels.hpp"
#include "text/tokenizers.hpp"

namespace dsir::ngram {
namespace {

// Written in a plain and slow way, independently of the streams that the kernels use, so that the
// tests can compare the two.
template <class Tokenizer>
bool name_ngrams(Tokenizer& tokenizer, const text::TokenBuffer& buffer, const FeatureSpec& spec,
                 std::vector<NamedNgram>& out) {
    const digest::Sha256Buckets sha256_bucket(spec.buckets);
    std::deque<std::string> last;
    while (tokenizer.next()) {
        for (std::size_t k = 0; k < buffer.size(); ++k) {
            last.emplace_back(buffer[k]);
            if (last.size() > spec.n) last.pop_front();
            for (std::size_t length = 1; length <= last.size(); ++length) {
                std::string joined;
                std::uint64_t hash = 0;
                for (std::size_t i = last.size() - length; i < last.size(); ++i) {
                    const bool first = joined.empty();
                    joined += first ? last[i] : " " + last[i];
                    std::string padded = last[i] + std::string(8, '\0');
                    const std::uint64_t token = hashing::token_hash(
                        reinterpret_cast<const std::uint8_t*>(padded.data()), last[i].size());
                    hash = first ? token : hashing::extend_hash(hash, token);
                }
                const std::uint32_t bucket =
                    spec.hash == HashKind::fast
                        ? hashing::bucket_of(hash, spec.buckets)
                        : sha256_bucket(reinterpret_cast<const std::uint8_t*>(joined.data()),
                                        joined.size());
                out.push_back({std::move(joined), bucket});
            }
        }
    }
    return tokenizer.valid();
}

}  // namespace

bool named_ngrams(std::string_view document, const FeatureSpec& spec,
                  std::vector<NamedNgram>& out) {
    std::optional<text::Normalizer> normalizer;
    if (spec.form != text::Form::as_is) {
        const std::optional<std::string_view> in_form = normalizer.emplace(spec.form)(document);
        if (!in_form) return false;
        document = *in_form;
    }
    text::TokenBuffer buffer;
    return text::visit_tokens(spec.cutting, document, buffer, [&](auto& tokenizer) {
        return name_ngrams(tokenizer, buffer, spec, out);
    });
}

}  // namespace dsir::ngram
