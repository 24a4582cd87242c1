// Keys of near duplicates against their definition: every n-gram from its tokens, every bin from
// all n-grams.

#include "minhash/band_keys.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "fuzz_input.hpp"
#include "hashing/fast_hash.hpp"
#include "text_rows.hpp"
#include "token_rows.hpp"

namespace {

using namespace dsir;
using hashing::fold;
using minhash::kBands;
using minhash::kBins;

using Keys = std::array<std::uint64_t, kBands>;

Keys keys_of(const std::vector<std::uint64_t>& tokens) {
    Keys keys{};
    if (tokens.empty()) return keys;
    std::array<std::optional<std::uint64_t>, kBins> least;
    const std::size_t n = std::min<std::size_t>(minhash::kOrder, tokens.size());
    for (std::size_t at = 0; at + n <= tokens.size(); ++at) {
        std::uint64_t ngram = 0;
        for (std::size_t i = at; i < at + n; ++i) ngram = ngram * hashing::kRoot2 + tokens[i];
        const std::uint64_t hash = fold(ngram ^ hashing::kRoot7, hashing::kRoot11);
        auto& bin = least[hashing::bucket_of(hash, kBins)];
        bin = std::min(bin.value_or(hash), hash);
    }
    const auto filled = [&least](unsigned bin) {
        if (least[bin]) return *least[bin];
        std::optional<std::uint64_t> smallest;
        std::uint64_t lent = 0;
        for (unsigned other = 0; other < kBins; ++other) {
            const std::uint64_t drawn = fold(bin ^ hashing::kRoot3, other ^ hashing::kRoot5);
            if (!least[other] || (smallest && drawn >= *smallest)) continue;
            smallest = drawn;
            lent = *least[other];
        }
        return lent;
    };
    for (unsigned band = 0; band < kBands; ++band) {
        keys[band] = band;
        for (unsigned i = 0; i < minhash::kRows; ++i) {
            const std::uint64_t one = filled(band * minhash::kRows + i);
            keys[band] = fold(keys[band] ^ hashing::kRoot2, one ^ hashing::kRoot3);
        }
    }
    return keys;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::size_t layout = input.below(5);
    const unsigned threads = 1 + static_cast<unsigned>(input.below(16) == 0);
    const test::Rows rows = fuzz::rows_in(input.rest());
    const auto array = fuzz::in_layout(layout, rows);
    std::vector<std::uint64_t> found(rows.size() * kBands, 7);
    minhash::band_keys(array->column(), {}, threads, found.data());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const Keys expected = keys_of(fuzz::token_hashes_of(rows[row]));
        for (unsigned band = 0; band < kBands; ++band) {
            HOLDS(found[band * rows.size() + row] == expected[band]);
        }
    }
    return 0;
}
