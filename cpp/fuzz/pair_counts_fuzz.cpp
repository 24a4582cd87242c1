// Counting pairs of bytes, and of characters by number, against the stream of buckets.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "fuzz_input.hpp"
#include "ngram/bucket_stream.hpp"
#include "ngram/byte_counts.hpp"
#include "ngram/character_counts.hpp"

namespace {

using namespace dsir;
using namespace dsir::ngram;
using Counts = std::vector<std::int64_t>;

/// Documents end with this byte, which is in no UTF-8.
constexpr char kEnd = '\xfe';

/// What an earlier document leaves in a counter must not change a later one, so all documents of an
/// input go to the same counters, each twice: the second time its characters have numbers.
void check(const FeatureSpec& spec, std::uint64_t most, std::string_view documents) {
    std::optional<ByteCounts> bytes;
    if (ByteCounts::fit(spec)) bytes.emplace(spec, most);
    std::optional<CharacterCounts> characters;
    if (CharacterCounts::fit(spec)) characters.emplace(spec, most);
    Counts by_bytes(spec.buckets), expected_by_bytes(spec.buckets);
    Counts by_number(spec.buckets), expected_by_number(spec.buckets);
    BucketStream stream(spec);
    while (!documents.empty()) {
        const std::size_t size = std::min(documents.find(kEnd), documents.size());
        const fuzz::ExactText document(documents.substr(0, size));
        documents.remove_prefix(std::min(documents.size(), size + 1));
        for (int twice = 0; twice < 2; ++twice) {
            Counts own(spec.buckets);
            const auto plain = stream.run(document, [&](std::span<const std::uint32_t> buckets) {
                for (const std::uint32_t bucket : buckets) ++own[bucket];
            });
            const auto same = [&](const BucketStream::Outcome& found, Counts& expected) {
                HOLDS(found.valid == plain.valid);
                if (!plain.valid) return;
                HOLDS(found.tokens == plain.tokens && found.features == plain.features);
                for (std::size_t i = 0; i < own.size(); ++i) expected[i] += own[i];
            };
            if (bytes && bytes->takes(document)) {
                same(bytes->add(document, by_bytes), expected_by_bytes);
            }
            if (!characters) continue;
            if (const auto found = characters->add(document, by_number)) {
                same(*found, expected_by_number);
            }
        }
    }
    if (bytes) bytes->finish(by_bytes);
    if (characters) characters->finish(by_number);
    HOLDS(by_bytes == expected_by_bytes);
    HOLDS(by_number == expected_by_number);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr text::TokenizerKind kKinds[] = {
        text::TokenizerKind::bytes, text::TokenizerKind::chars, text::TokenizerKind::codepoints};
    fuzz::Input input(data, size);
    const text::TokenizerKind kind = kKinds[input.below(3)];
    const text::Case letters = input.below(2) == 0 ? text::Case::lower : text::Case::as_written;
    const std::uint32_t buckets = 1U + input.take<std::uint16_t>() % 3000U;
    const std::uint64_t most = input.below(2) == 0 ? ByteCounts::kMostTokens : 40;
    check({2, buckets, HashKind::fast, {kind, letters}}, most, input.rest());
    return 0;
}
