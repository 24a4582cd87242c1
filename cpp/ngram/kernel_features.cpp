#include "ngram/kernel_features.hpp"

#include <string>

#include "hashing/fast_hash.hpp"
#include "text/kernel_tokens.hpp"

namespace dsir::ngram {

std::span<const std::uint32_t> KernelFeatures::take(const text::TokenBuffer& tokens) {
    const std::uint8_t* const bytes = tokens.bytes.get();
    for (std::size_t k = 0; k < tokens.size(); ++k) {
        hashes_.push_back(hashing::token_hash(bytes + tokens.starts[k],
                                              std::size_t{tokens.ends[k]} - tokens.starts[k]));
    }
    return {};
}

std::span<const std::uint32_t> KernelFeatures::finish() {
    if (hashes_.empty()) return {};
    const std::size_t room = hashes_.size() * most_;
    if (found_.size() < room) found_.resize(room);
    const std::int64_t made =
        kernel_(hashes_.data(), static_cast<std::int64_t>(hashes_.size()), found_.data(),
                static_cast<std::int64_t>(room), std::int64_t{buckets_});
    if (made < 0) throw text::KernelError("the features kernel raised an exception");
    if (made > static_cast<std::int64_t>(room)) {
        throw text::KernelError("the features kernel returned " + std::to_string(made) +
                                " features, but there is room for " + std::to_string(room));
    }
    const std::span<const std::uint32_t> features(found_.data(), static_cast<std::size_t>(made));
    for (const std::uint32_t bucket : features) {
        if (bucket >= buckets_) {
            throw text::KernelError("the features kernel returned the bucket " +
                                    std::to_string(bucket) + ", but there are " +
                                    std::to_string(buckets_) + " buckets");
        }
    }
    return features;
}

}  // namespace dsir::ngram
