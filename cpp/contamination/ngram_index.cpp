#include "contamination/ngram_index.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>

#include "hashing/fast_hash.hpp"
#include "text/row_status.hpp"

namespace dsir::contamination {
namespace {

// A filter of 16 to 32 bits a block lets less than one in a hundred other blocks through.
constexpr std::size_t kBitsPerBlock = 16;

}  // namespace

NgramIndex::NgramIndex(const arrow::TextColumn& texts, const ngram::Tokens& tokens, unsigned n)
    : n_(n), block_((n + 1) / 2), tokens_(tokens) {
    const std::int64_t rows = texts.size();
    ngram::TokenHashes hashes(tokens);
    std::vector<std::uint64_t> every;    // hashes of the tokens of all texts
    std::vector<std::size_t> starts{0};  // [rows + 1], in `every`
    std::size_t blocks = 0;
    const auto append = [&every](std::span<const std::uint64_t> some) {
        every.insert(every.end(), some.begin(), some.end());
    };
    for (std::int64_t row = 0; row < rows; ++row) {
        const auto text = texts[row];
        const bool valid =
            text && text->size() <= text::kLargestDocument && hashes.run(*text, append);
        if (!valid) every.resize(starts.back());
        const std::size_t length = every.size() - starts.back();
        lengths_.push_back(static_cast<std::uint32_t>(
            std::min<std::size_t>(length, std::numeric_limits<std::uint32_t>::max())));
        if (length < n) {
            every.resize(starts.back());
        } else {
            blocks += length - block_ + 1;
        }
        starts.push_back(every.size());
    }
    if (blocks >= kNone / 2) throw std::length_error("the texts have more than 2^31 tokens");
    words_ = ngram::LargeArray<std::uint64_t>(
        std::bit_ceil(std::max<std::size_t>(1, blocks * kBitsPerBlock / 64)));
    slots_ = ngram::LargeArray<Slot>(std::bit_ceil(std::max<std::size_t>(2, 2 * blocks)));
    std::fill(words_.begin(), words_.end(), 0);
    std::fill(slots_.begin(), slots_.end(), Slot{});
    for (std::int64_t row = 0; row < rows; ++row) {
        const auto begin = starts[static_cast<std::size_t>(row)];
        const auto end = starts[static_cast<std::size_t>(row) + 1];
        for (std::size_t at = begin; at + block_ <= end; ++at) {
            add_block(block_at(every.data() + at));
        }
        for (std::size_t at = begin; at + n <= end; ++at) {
            add(ngram_at(every.data() + at), static_cast<std::uint32_t>(row));
        }
    }
}

std::uint64_t NgramIndex::ngram_at(const std::uint64_t* tokens) const {
    std::uint64_t hash = tokens[0];
    for (unsigned i = 1; i < n_; ++i) hash = hashing::extend_hash(hash, tokens[i]);
    return hash;
}

std::uint32_t NgramIndex::slot_of(std::uint64_t ngram) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = ngram & mask;; at = (at + 1) & mask) {
        if (slots_[at].text == kNone) return kNone;
        if (slots_[at].ngram == ngram) return static_cast<std::uint32_t>(at);
    }
}

void NgramIndex::add(std::uint64_t ngram, std::uint32_t text) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = ngram & mask;
    while (slots_[at].text != kNone) {
        if (slots_[at].ngram == ngram) return;  // An earlier text has it.
        at = (at + 1) & mask;
    }
    slots_[at] = {ngram, text};
    ++ngrams_;
}

}  // namespace dsir::contamination
