#include "ngram/kernel_features.hpp"

#include <algorithm>
#include <string>

#include "text/kernel_tokens.hpp"

namespace dsir::ngram {

std::span<const std::uint32_t> KernelFeatures::take(const text::TokenBuffer& tokens) {
    const std::size_t room = size_ + tokens.size() + simd::kBucketSlack;
    if (hashes_.size() < room) hashes_.resize(std::max(room, 2 * hashes_.size()));
    hash_({tokens.bytes.get(), tokens.starts.get(), tokens.ends.get(), tokens.size()},
          hashes_.data() + size_);
    size_ += tokens.size();
    return {};
}

std::span<const std::uint32_t> KernelFeatures::finish() {
    if (size_ == 0) return {};
    const std::size_t room = size_ * most_;
    if (found_.size() < room) found_.resize(room);
    const std::int64_t made =
        kernel_(hashes_.data(), static_cast<std::int64_t>(size_), found_.data(),
                static_cast<std::int64_t>(room), std::int64_t{buckets_});
    if (made == text::kKernelRaised) throw text::KernelError(kernel_, text::kRaised);
    if (made < 0 || made > static_cast<std::int64_t>(room)) {
        throw text::KernelError(kernel_, "returned " + std::to_string(made) +
                                             " features, but there is room for " +
                                             std::to_string(room));
    }
    const std::span<const std::uint32_t> features(found_.data(), static_cast<std::size_t>(made));
    // No branch in the loop: the compiler then takes several features at once.
    std::uint32_t wrong = 0;
    for (const std::uint32_t bucket : features) wrong |= std::uint32_t{bucket >= buckets_};
    if (wrong == 0) return features;
    const auto first =
        std::ranges::find_if(features, [this](std::uint32_t bucket) { return bucket >= buckets_; });
    throw text::KernelError(kernel_, "returned the bucket " + std::to_string(*first) +
                                         ", but there are " + std::to_string(buckets_) +
                                         " buckets");
}

}  // namespace dsir::ngram
