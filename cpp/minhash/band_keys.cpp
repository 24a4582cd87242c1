#include "minhash/band_keys.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <optional>
#include <utility>

#include "hashing/fast_hash.hpp"
#include "parallel/for_ranges.hpp"
#include "text/row_status.hpp"

namespace dsir::minhash {
namespace {

using hashing::fold;
using ngram::TokenHashes;

constexpr std::uint64_t kEmpty = ~std::uint64_t{0};

// The n-gram of tokens t0 to t4 is fold(t0 b^4 + t1 b^3 + ... + t4, ...) with this base: it rolls
// from token to token.
constexpr std::uint64_t kBase = hashing::kRoot2;

constexpr std::uint64_t power(std::uint64_t base, unsigned exponent) {
    std::uint64_t product = 1;
    for (unsigned i = 0; i < exponent; ++i) product *= base;
    return product;
}
constexpr std::uint64_t kLeaves = power(kBase, kOrder);  ///< what the token that leaves has gained

using Order = std::array<std::uint8_t, kBins>;

/// For each bin, all bins in an order of its own: the first that has a hash lends it.
std::array<Order, kBins> make_lenders() {
    std::array<Order, kBins> orders{};
    for (unsigned bin = 0; bin < kBins; ++bin) {
        std::array<std::pair<std::uint64_t, std::uint8_t>, kBins> drawn;
        for (unsigned other = 0; other < kBins; ++other) {
            drawn[other] = {fold(bin ^ hashing::kRoot3, other ^ hashing::kRoot5),
                            static_cast<std::uint8_t>(other)};
        }
        std::sort(drawn.begin(), drawn.end());
        for (unsigned i = 0; i < kBins; ++i) orders[bin][i] = drawn[i].second;
    }
    return orders;
}

const std::array<Order, kBins>& lenders() {
    static const std::array<Order, kBins> orders = make_lenders();
    return orders;
}

}  // namespace

void BandKeys::start_document() {
    least_.fill(kEmpty);
    last_.fill(0);
    rolling_ = 0;
    tokens_ = 0;
}

void BandKeys::add(std::uint64_t ngram) {
    const std::uint64_t hash = fold(ngram ^ hashing::kRoot7, hashing::kRoot11);
    std::uint64_t& least = least_[hashing::bucket_of(hash, kBins)];
    // Stored in any case: whether the hash is less is hard to predict.
    least = std::min(least, hash);
}

void BandKeys::take(std::span<const std::uint64_t> hashes) {
    const std::size_t size = hashes.size();
    std::size_t at = 0;
    std::uint64_t rolling = rolling_;  // In a register: add() may write to any number in memory.
    for (; at < std::min<std::size_t>(size, kOrder); ++at) {
        rolling = rolling * kBase + hashes[at] - last_[at] * kLeaves;
        if (tokens_ + at + 1 >= kOrder) add(rolling);
    }
    for (; at < size; ++at) {
        rolling = rolling * kBase + hashes[at] - hashes[at - kOrder] * kLeaves;
        add(rolling);
    }
    rolling_ = rolling;
    tokens_ += size;
    const std::size_t stay = size < kOrder ? kOrder - size : 0;
    std::copy(last_.end() - static_cast<std::ptrdiff_t>(stay), last_.end(), last_.begin());
    std::copy(hashes.end() - static_cast<std::ptrdiff_t>(kOrder - stay), hashes.end(),
              last_.begin() + static_cast<std::ptrdiff_t>(stay));
}

void BandKeys::finish(std::int64_t row) {
    if (tokens_ == 0) return;
    if (tokens_ < kOrder) add(rolling_);
    fill_empty_bins();
    for (unsigned band = 0; band < kBands; ++band) {
        std::uint64_t key = band;
        for (unsigned i = 0; i < kRows; ++i) {
            key = fold(key ^ hashing::kRoot2, least_[band * kRows + i] ^ hashing::kRoot3);
        }
        out_[static_cast<std::int64_t>(band) * rows_ + row] = key;
    }
}

void BandKeys::fill_empty_bins() {
    // Which bins are empty is hard to predict, so no bin and no lender has a branch of its own.
    constexpr unsigned kAtOnce = 8;
    static_assert(kBins % kAtOnce == 0);
    std::array<std::uint8_t, kBins> lends;  // 1 or 0; a bin that gets filled still does not lend
    for (unsigned bin = 0; bin < kBins; ++bin) lends[bin] = least_[bin] != kEmpty;
    std::array<std::uint8_t, kBins> empty;
    std::size_t size = 0;
    for (unsigned bin = 0; bin < kBins; ++bin) {
        empty[size] = static_cast<std::uint8_t>(bin);
        size += 1U - lends[bin];
    }
    if (size == 0) return;
    const std::array<Order, kBins>& orders = lenders();
    for (const std::uint8_t bin : std::span(empty).first(size)) {
        const Order& order = orders[bin];
        for (unsigned first = 0; first < kBins; first += kAtOnce) {
            unsigned some = 0;
            for (unsigned i = 0; i < kAtOnce; ++i) {
                some |= unsigned{lends[order[first + i]]} << i;
            }
            if (some == 0) continue;
            least_[bin] = least_[order[first + static_cast<unsigned>(std::countr_zero(some))]];
            break;
        }
    }
}

BandKeysOfRows::BandKeysOfRows(std::uint64_t* out, std::int64_t rows) : out_(out), rows_(rows) {
    std::fill_n(out, rows * kBands, std::uint64_t{0});
}

std::unique_ptr<ngram::TokenWatch> BandKeysOfRows::make() const {
    return std::make_unique<BandKeys>(out_, rows_);
}

void band_keys(const arrow::TextColumn& column, const ngram::Tokens& tokens, unsigned threads,
               std::uint64_t* out) {
    struct Own {
        TokenHashes hashes;
        BandKeys keys;
    };
    const std::int64_t rows = column.size();
    const BandKeysOfRows all(out, rows);
    std::vector<std::unique_ptr<Own>> owns(threads);
    parallel::for_ranges(rows, threads, [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        std::unique_ptr<Own>& own = owns[thread];
        if (!own) own.reset(new Own{TokenHashes(tokens), BandKeys(out, rows)});
        for (std::int64_t row = begin; row < end; ++row) {
            const auto document = column[row];
            if (!document || document->size() > text::kLargestDocument) continue;
            own->keys.start_document();
            const bool valid = own->hashes.run(
                *document, [&](std::span<const std::uint64_t> some) { own->keys.take(some); });
            if (valid) own->keys.finish(row);
        }
    });
}

}  // namespace dsir::minhash
