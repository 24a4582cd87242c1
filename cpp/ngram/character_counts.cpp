#include "ngram/character_counts.hpp"

#include <algorithm>

#include "hashing/fast_hash.hpp"
#include "ngram/visit_entries.hpp"

namespace dsir::ngram {
namespace {

constexpr std::size_t kSmall = CharacterNumbers::kSmall;
constexpr std::size_t kLongestDocument = std::size_t{1} << 20;

/// A table of buckets of more bytes than this is not in the near caches. So many pairs are hashed
/// before their buckets are counted, so that entries can be fetched ahead.
constexpr std::size_t kNear = std::size_t{1} << 20;
constexpr std::size_t kTogether = 1024;

static_assert(kSmall == simd::kSmallNumbers);
static_assert(CharacterCounts::kMostTokens + kLongestDocument <= std::uint64_t{1} << 32);

}  // namespace

bool CharacterCounts::fit(const FeatureSpec& spec) {
    using enum text::TokenizerKind;
    return spec.n == 2 && spec.hash == HashKind::fast && spec.kernel == nullptr &&
           spec.form == text::Form::as_is && spec.cutting.kernel == nullptr &&
           (spec.cutting.kind == chars || spec.cutting.kind == codepoints);
}

CharacterCounts::CharacterCounts(const FeatureSpec& spec, std::uint64_t most_tokens)
    : numbers_(spec.cutting),
      count_pairs_(simd::count_pairs_kernel(simd::active_level())),
      buckets_(spec.buckets),
      most_tokens_(most_tokens) {
    for (std::vector<std::uint32_t>& table : pairs_) table.resize(kSmall * kSmall);
}

std::optional<BucketStream::Outcome> CharacterCounts::add(std::string_view document,
                                                          std::span<std::int64_t> counts) {
    if (document.size() > kLongestDocument) return std::nullopt;
    const auto numbered = numbers_.number(document);
    if (!numbered) return std::nullopt;
    if (!numbered->valid) return BucketStream::Outcome{0, 0, false};
    if (since_finished_ >= most_tokens_) finish(counts);
    const std::size_t tokens = numbered->numbers.size();
    count(numbered->numbers, counts);
    since_finished_ += tokens;
    return BucketStream::Outcome{tokens, ngram_count(tokens, 2), true};
}

void CharacterCounts::count(std::span<const Number> numbers, std::span<std::int64_t> counts) {
    if (numbers.empty()) return;
    if (singles_.size() < numbers_.size()) singles_.resize(numbers_.size());
    ++singles_[numbers[0]];
    const bool near = counts.size_bytes() <= kNear;
    const simd::PairTables tables{{pairs_[0].data(), pairs_[1].data()},
                                  singles_.data(),
                                  numbers_.hashes(),
                                  buckets_,
                                  near ? counts.data() : nullptr};
    const std::size_t pairs = numbers.size() - 1;
    if (near) {
        count_pairs_(numbers.data(), pairs, tables, nullptr);
        return;
    }
    std::uint32_t found[kTogether];
    for (std::size_t k = 0; k < pairs; k += kTogether) {
        const std::size_t some = std::min(kTogether, pairs - k);
        const std::size_t size = count_pairs_(numbers.data() + k, some, tables, found);
        visit_entries(std::span<const std::uint32_t>(found, size), counts.data(), counts.size(),
                      [](std::int64_t& entry) { ++entry; });
    }
}

void CharacterCounts::finish(std::span<std::int64_t> counts) {
    if (since_finished_ == 0) return;
    const std::uint64_t* const hashes = numbers_.hashes();
    const auto add = [&](std::uint64_t hash, std::uint64_t times) {
        counts[hashing::bucket_of(hash, buckets_)] += static_cast<std::int64_t>(times);
    };
    for (std::size_t second = 0; second < kSmall; ++second) {
        std::uint64_t of_second = 0;
        for (std::size_t first = 0; first < kSmall; ++first) {
            const std::size_t at = first + kSmall * second;
            const std::uint64_t of_pair = std::uint64_t{pairs_[0][at]} + pairs_[1][at];
            if (of_pair == 0) continue;
            of_second += of_pair;
            add(hashing::extend_hash(hashes[first], hashes[second]), of_pair);
        }
        if (of_second != 0) add(hashes[second], of_second);
    }
    for (std::size_t number = 0; number < singles_.size(); ++number) {
        if (singles_[number] != 0) add(hashes[number], singles_[number]);
    }
    std::fill(singles_.begin(), singles_.end(), 0);
    for (std::vector<std::uint32_t>& table : pairs_) std::fill(table.begin(), table.end(), 0);
    since_finished_ = 0;
}

}  // namespace dsir::ngram
