#include "contamination/finder.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "parallel/for_ranges.hpp"
#include "text/row_status.hpp"

namespace dsir::contamination {
namespace {

// So many tokens are kept before those that no n-gram needs any more are dropped.
constexpr std::size_t kMostTokens = 4096;

}  // namespace

void Finder::start_document() {
    tokens_.clear();
    found_.clear();
    next_ = known_ = 0;
    first_ = NgramIndex::kNone;
}

void Finder::take(std::span<const std::uint64_t> hashes) {
    if (enough()) return;
    tokens_.insert(tokens_.end(), hashes.begin(), hashes.end());
    look_up(false);
}

void Finder::finish(std::int64_t row) {
    if (!enough()) look_up(true);
    out_.ngrams[row] = static_cast<std::uint32_t>(found_.size());
    out_.text[row] = first_;
}

/// Looks up the blocks whose n-grams are complete: all that are left, at the end.
void Finder::look_up(bool end) {
    // The n-grams that hold a block reach up to so many tokens beyond it, on each side.
    const std::size_t beyond = n_ - block_;
    const std::size_t needed = end ? block_ : block_ + beyond;
    blocks_.clear();
    for (std::size_t at = next_; at + needed <= tokens_.size(); at += block_) {
        blocks_.push_back(index_.block_at(tokens_.data() + at));
        index_.prefetch(blocks_.back());
    }
    for (const std::uint64_t block : blocks_) {
        if (index_.may_have_block(block)) {
            look_around(next_);
            if (enough()) return;
        }
        next_ += block_;
    }
    if (next_ > kMostTokens + beyond) {
        const std::size_t dropped = next_ - beyond;
        tokens_.erase(tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(dropped));
        next_ = beyond;
        known_ = known_ > dropped ? known_ - dropped : 0;
    }
}

/// Looks up every n-gram that holds a block and has not been looked up yet.
void Finder::look_around(std::size_t block) {
    if (tokens_.size() < n_) return;
    const std::size_t beyond = n_ - block_;
    const std::size_t last = std::min(block, tokens_.size() - n_);
    for (std::size_t at = std::max(known_, block > beyond ? block - beyond : 0); at <= last; ++at) {
        known_ = at + 1;
        const std::uint32_t slot = index_.slot_of(index_.ngram_at(tokens_.data() + at));
        if (slot == NgramIndex::kNone) continue;
        if (first_ == NgramIndex::kNone) first_ = index_.text_of(slot);
        if (std::find(found_.begin(), found_.end(), slot) != found_.end()) continue;
        found_.push_back(slot);
        if (enough()) return;
    }
}

Finders::Finders(const NgramIndex& index, const Found& out, std::int64_t rows)
    : index_(index), out_(out) {
    std::fill_n(out.ngrams, rows, 0U);
    std::fill_n(out.text, rows, NgramIndex::kNone);
}

std::unique_ptr<ngram::TokenWatch> Finders::make() const {
    return std::make_unique<Finder>(index_, out_);
}

void find(const arrow::TextColumn& column, const NgramIndex& index, unsigned threads,
          const Found& out) {
    struct Own {
        ngram::TokenHashes hashes;
        Finder finder;
    };
    const Finders finders(index, out, column.size());
    std::vector<std::unique_ptr<Own>> owns(threads);
    const auto find_range = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        std::unique_ptr<Own>& own = owns[thread];
        if (!own) own.reset(new Own{ngram::TokenHashes(index.tokens()), Finder(index, out)});
        for (std::int64_t row = begin; row < end; ++row) {
            const auto document = column[row];
            if (!document || document->size() > text::kLargestDocument) continue;
            own->finder.start_document();
            const bool valid = own->hashes.run(
                *document, [&](std::span<const std::uint64_t> some) { own->finder.take(some); });
            if (valid) own->finder.finish(row);
        }
    };
    parallel::for_ranges(column.size(), threads, find_range);
}

}  // namespace dsir::contamination
