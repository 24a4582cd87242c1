// The kernels of every width that this CPU has give the same bits as the scalar ones.

#include <algorithm>
#include <array>
#include <vector>

#include "digest/sha256.hpp"
#include "fuzz_input.hpp"
#include "simd/classify.hpp"
#include "simd/cpu.hpp"
#include "simd/cut.hpp"
#include "simd/fast_ngrams.hpp"
#include "simd/philox_rows.hpp"
#include "simd/row_sums.hpp"
#include "simd/sha256_blocks.hpp"

namespace {

using namespace dsir;
using simd::Level;

/// The widths except scalar.
std::span<const Level> wider() {
    return simd::levels_up_to_active().subspan(1);
}

/// What a cutting kernel makes of bytes: first whole blocks, then part of one.
struct CutFound {
    std::size_t blocks;
    std::vector<std::uint8_t> bytes;
    std::vector<std::uint32_t> starts;
    std::vector<std::uint32_t> ends;
    std::uint64_t word_open;
    std::uint64_t punctuation_open;
    bool operator==(const CutFound&) const = default;
};

CutFound cut(Level level, std::string_view text, std::size_t part) {
    const simd::CutKernels& kernels = simd::cut_kernels(level);
    const std::size_t most = text.size() / 64;
    std::vector<std::uint8_t> lowered(64 * (most + 2));
    std::vector<std::uint32_t> starts(64 * (most + 1) + simd::kCutSlack);
    std::vector<std::uint32_t> ends(64 * (most + 1) + 1 + simd::kCutSlack);
    simd::Cut found{};
    found.bytes = lowered.data();
    found.starts = starts.data();
    found.ends = ends.data();
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const std::size_t blocks = kernels.ascii(bytes, most, found);
    HOLDS(blocks <= most && found.bytes_size == 64 * blocks);
    std::array<std::uint8_t, 64> block{};
    std::copy_n(bytes + 64 * blocks, std::min<std::size_t>(64, text.size() - 64 * blocks),
                block.begin());
    const simd::BlockMasks masks = kernels.classify(block.data(), lowered.data() + 64 * blocks);
    if (blocks < most) {
        HOLDS(found.stopped.word == masks.word && found.stopped.space == masks.space &&
              found.stopped.non_ascii == masks.non_ascii);
    }
    kernels.block(masks.word, ~(masks.word | masks.space | masks.non_ascii), part, found);
    lowered.resize(64 * blocks + part);
    starts.resize(found.starts_size);
    ends.resize(found.ends_size);
    return {blocks, lowered, starts, ends, found.word_open, found.punctuation_open};
}

void check_cut(std::string_view text, std::size_t part) {
    const CutFound expected = cut(Level::scalar, text, part);
    for (const Level level : wider()) HOLDS(cut(level, text, part) == expected);
}

void check_ngrams(std::string_view text, unsigned n, std::uint32_t buckets, fuzz::Input& settings) {
    // Tokens of any bytes. 16 bytes after the last start can be read.
    std::vector<std::uint8_t> bytes(text.begin(), text.end());
    std::vector<std::uint32_t> starts;
    std::vector<std::uint32_t> ends;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = std::min(1 + settings.below(20) % 20, text.size() - at);
        starts.push_back(static_cast<std::uint32_t>(at));
        ends.push_back(static_cast<std::uint32_t>(at + length));
        at += length + settings.below(2);
    }
    bytes.resize(bytes.size() + 16);
    const std::size_t first = starts.size() / 2;  // in two stretches
    const auto found = [&](Level level) {
        std::vector<std::uint32_t> all;
        simd::FastNgramsBefore before{};
        for (const auto& [from, to] : {std::pair{std::size_t{0}, first}, {first, starts.size()}}) {
            std::vector<std::uint32_t> out(n * (to - from) + simd::kBucketSlack);
            std::vector<std::uint64_t> shown(to - from + simd::kBucketSlack);
            const std::size_t made = simd::fast_ngrams_kernel(level)(
                {bytes.data(), starts.data() + from, ends.data() + from, to - from}, n, buckets,
                before, out.data(), shown.data());
            HOLDS(made <= n * (to - from));
            all.insert(all.end(), out.begin(), out.begin() + static_cast<std::ptrdiff_t>(made));
        }
        for (const std::uint32_t bucket : all) HOLDS(bucket < buckets);
        std::sort(all.begin(), all.end());
        return all;
    };
    const auto hashes = [&](Level level) {
        std::vector<std::uint64_t> out(starts.size() + simd::kBucketSlack);
        simd::token_hashes_kernel(level)({bytes.data(), starts.data(), ends.data(), starts.size()},
                                         out.data());
        out.resize(starts.size());
        return out;
    };
    for (const Level level : wider()) {
        HOLDS(found(level) == found(Level::scalar));
        HOLDS(hashes(level) == hashes(Level::scalar));
    }
}

void check_known(std::string_view text) {
    std::array<std::uint8_t, 64> block{};
    std::copy_n(text.begin(), std::min<std::size_t>(64, text.size()), block.begin());
    for (const Level level : wider()) {
        const simd::KnownMasks masks = simd::cut_kernels(level).known(block.data());
        HOLDS((masks.word & masks.punctuation) == 0);
        for (std::size_t i = 0; i < 64; ++i) {
            if (block[i] < 0x80) HOLDS(((masks.word | masks.punctuation) >> i & 1) == 0);
        }
    }
}

void check_sha256(std::string_view text) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const std::size_t blocks = text.size() / 64;
    digest::Sha256State expected{1, 2, 3, 4, 5, 6, 7, 8};
    digest::Sha256State found = expected;
    simd::sha256_compress_scalar(expected, bytes, blocks);
    simd::sha256_compress()(found, bytes, blocks);
    HOLDS(found == expected);
    if (blocks < 2) return;
    digest::Sha256State a{8, 7};
    digest::Sha256State b{1};
    digest::Sha256State a_too = a;
    digest::Sha256State b_too = b;
    simd::sha256_compress_two_scalar(a, bytes, b, bytes + 64);
    simd::sha256_compress_two()(a_too, bytes, b_too, bytes + 64);
    HOLDS(a == a_too && b == b_too);
}

void check_sums(std::string_view text) {
    struct alignas(64) Row {
        std::int64_t entries[8];
    };
    std::vector<Row> table(text.size() / sizeof(Row));
    if (table.empty()) return;
    std::memcpy(table.data(), text.data(), table.size() * sizeof(Row));
    for (Row& row : table) {
        for (std::int64_t& entry : row.entries) entry /= 1 << 20;  // no sum overflows
    }
    std::vector<std::uint32_t> chosen;
    for (const char c : text.substr(0, 100)) {
        chosen.push_back(static_cast<std::uint8_t>(c) % static_cast<std::uint32_t>(table.size()));
    }
    std::array<std::int64_t, 8> expected{};
    simd::add_rows_scalar(table[0].entries, chosen.data(), chosen.size(), expected.data());
    for (const Level level : wider()) {
        std::array<std::int64_t, 8> sums{};
        simd::add_rows_kernel(level)(table[0].entries, chosen.data(), chosen.size(), sums.data());
        HOLDS(sums == expected);
    }
}

void check_philox(std::string_view text, std::uint64_t key) {
    std::vector<std::uint32_t> offsets(text.size() / 4);
    if (!offsets.empty()) std::memcpy(offsets.data(), text.data(), offsets.size() * 4);
    const std::uint64_t first_row = key * 0x9E3779B97F4A7C15;
    const simd::PhiloxSettings settings{key, static_cast<std::uint32_t>(key >> 7)};
    std::vector<std::uint32_t> expected(offsets.size());
    simd::philox_rows_scalar(settings, first_row, offsets.data(), offsets.size(), expected.data());
    for (const Level level : wider()) {
        std::vector<std::uint32_t> words(offsets.size());
        simd::philox_rows_kernel(level)(settings, first_row, offsets.data(), offsets.size(),
                                        words.data());
        HOLDS(words == expected);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const auto seed = input.take<std::uint64_t>();
    const fuzz::ExactText exact(input.rest());
    const std::string_view text = exact;
    fuzz::Input lengths(data, size);
    check_cut(text, 1 + seed % 64);
    check_ngrams(text, 1 + static_cast<unsigned>(seed >> 8) % 8,
                 2 + static_cast<std::uint32_t>(seed >> 16) % ((1U << 24) - 1), lengths);
    check_known(text);
    check_sha256(text);
    check_sums(text);
    check_philox(text, seed);
    return 0;
}
