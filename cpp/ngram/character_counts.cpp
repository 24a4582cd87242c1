#include "ngram/character_counts.hpp"

#include <algorithm>

#include "hashing/fast_hash.hpp"
#include "ngram/visit_entries.hpp"

namespace dsir::ngram {
namespace {

constexpr std::size_t kSmall = CharacterNumbers::kSmall;
constexpr std::size_t kLongestDocument = std::size_t{1} << 20;

/// So many pairs are counted in one way if all numbers are small. Else it is asked of fewer.
constexpr std::size_t kRun = 64;
constexpr std::size_t kShortRun = 8;

/// Buckets of a table that is not in the near caches are counted so many at a time, after their
/// entries are fetched.
constexpr std::size_t kNear = std::size_t{1} << 20;  // bytes
constexpr std::size_t kTogether = 1024;

/// Whether so many pairs are of small numbers.
bool all_small(const CharacterNumbers::Number* numbers, std::size_t pairs) {
    unsigned all = 0;
    for (std::size_t i = 0; i <= pairs; ++i) all |= numbers[i];
    return all < kSmall;
}

static_assert(CharacterCounts::kMostTokens + kLongestDocument <= std::uint64_t{1} << 32);

}  // namespace

bool CharacterCounts::fit(const FeatureSpec& spec) {
    using enum text::TokenizerKind;
    return spec.n == 2 && spec.hash == HashKind::fast && spec.kernel == nullptr &&
           spec.form == text::Form::as_is && spec.cutting.kernel == nullptr &&
           (spec.cutting.kind == chars || spec.cutting.kind == codepoints);
}

CharacterCounts::CharacterCounts(const FeatureSpec& spec, std::uint64_t most_tokens)
    : numbers_(spec.cutting), buckets_(spec.buckets), most_tokens_(most_tokens) {
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
    std::uint32_t found[kTogether];
    std::size_t size = 0;
    const auto count_found = [&] {
        visit_entries(std::span<const std::uint32_t>(found, size), counts.data(), counts.size(),
                      [](std::int64_t& entry) { ++entry; });
        size = 0;
    };
    for (std::size_t k = 0; k + 1 < numbers.size(); k += kRun) {
        const std::size_t pairs = std::min(kRun, numbers.size() - 1 - k);
        const Number* const run = numbers.data() + k;
        if (all_small(run, pairs)) {
            count_small(run, pairs);
            continue;
        }
        if (size + kRun > kTogether) count_found();
        for (std::size_t i = 0; i < pairs; i += kShortRun) {
            const std::size_t some = std::min(kShortRun, pairs - i);
            if (all_small(run + i, some)) {
                count_small(run + i, some);
            } else if (near) {
                visit_buckets(run + i, some, [&](std::uint32_t bucket) { ++counts[bucket]; });
            } else {
                visit_buckets(run + i, some, [&](std::uint32_t bucket) { found[size++] = bucket; });
            }
        }
    }
    count_found();
}

/// Counts so many pairs of small numbers: (numbers[0], numbers[1]), (numbers[1], numbers[2]), ...
void CharacterCounts::count_small(const Number* numbers, std::size_t pairs) {
    std::uint32_t* const even = pairs_[0].data();
    std::uint32_t* const odd = pairs_[1].data();
    const auto pair_at = [numbers](std::size_t k) { return numbers[k] + kSmall * numbers[k + 1]; };
    std::size_t k = 0;
    for (; k + 2 <= pairs; k += 2) {
        ++even[pair_at(k)];
        ++odd[pair_at(k + 1)];
    }
    if (k != pairs) ++even[pair_at(k)];
}

/// Counts the second number of each of so many pairs, and calls use(bucket) with the pair's bucket.
template <class Use>
void CharacterCounts::visit_buckets(const Number* numbers, std::size_t pairs, Use&& use) {
    const std::uint64_t* const hashes = numbers_.hashes();
    std::uint64_t* const singles = singles_.data();
    std::uint64_t first = hashes[numbers[0]];
    for (std::size_t k = 0; k < pairs; ++k) {
        const std::uint64_t second = hashes[numbers[k + 1]];
        ++singles[numbers[k + 1]];
        use(hashing::bucket_of(hashing::extend_hash(first, second), buckets_));
        first = second;
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
