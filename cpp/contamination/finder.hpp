#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "contamination/ngram_index.hpp"
#include "ngram/token_watch.hpp"

namespace dsir::contamination {

/// The most n-grams that are counted for a document. They are told apart one by one.
inline constexpr std::uint32_t kMostHits = 1000;

/// What a comparison fills. The caller owns the arrays; each has one entry per row.
struct Found {
    /// How many different n-grams of the document are in the texts, counted up to `most`.
    std::uint32_t* ngrams;
    std::uint32_t* text;  ///< the text that has the first of them, or NgramIndex::kNone
    std::uint32_t most;   ///< 1 or more; the rest of a document that has so many is not looked up
};

/// Looks the n-grams of documents up. Holds scratch memory, so use one per thread. Of a long
/// document only the hashes of the last tokens are kept.
class Finder final : public ngram::TokenWatch {
  public:
    /// `index` must outlive the finder.
    Finder(const NgramIndex& index, const Found& out)
        : index_(index), out_(out), n_(index.n()), block_(index.block()) {}

    void start_document() override;
    void take(std::span<const std::uint64_t> hashes) override;
    void finish(std::int64_t row) override;

  private:
    bool enough() const { return found_.size() >= out_.most; }
    void look_up(bool end);
    void look_around(std::size_t block);

    const NgramIndex& index_;
    Found out_;
    std::size_t n_;
    unsigned block_;
    std::vector<std::uint64_t> tokens_;  ///< hashes of the last tokens
    std::vector<std::uint64_t> blocks_;
    std::vector<std::uint32_t> found_;  ///< slots of the different n-grams that are in the texts
    std::size_t next_ = 0;              ///< the next block, in `tokens_`
    std::size_t known_ = 0;             ///< n-grams that start before it have been looked up
    std::uint32_t first_ = NgramIndex::kNone;
};

/// Makes the finders of threads, for passes that do other work on the same tokens.
class Finders final : public ngram::TokenWatches {
  public:
    /// Sets the `rows` entries of `out` to what rows share that no finder sees: nothing.
    Finders(const NgramIndex& index, const Found& out, std::int64_t rows);

    std::unique_ptr<ngram::TokenWatch> make() const override;

  private:
    const NgramIndex& index_;
    Found out_;
};

/// Compares every row with the texts of an index, in a pass of its own. Rows that are null or not
/// UTF-8 share nothing. The result does not depend on `threads` (at least 1).
void find(const arrow::TextColumn& column, const NgramIndex& index, unsigned threads,
          const Found& out);

}  // namespace dsir::contamination
