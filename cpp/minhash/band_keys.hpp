#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "arrow/text_column.hpp"
#include "ngram/token_hashes.hpp"
#include "ngram/token_watch.hpp"

/// Finds texts that are nearly the same: MinHash (Broder 1997, "On the resemblance and containment
/// of documents") with one permutation (Li, Owen and Zhang 2012, arXiv 1208.1259), whose empty bins
/// are filled as by Shrivastava (2017, arXiv 1703.04664).
namespace dsir::minhash {

/// The name of what BandKeys computes. Its values are a file format; golden vectors in the tests
/// pin them.
inline constexpr const char* kMinHash = "minhash-1";

inline constexpr unsigned kOrder = 5;  ///< tokens of an n-gram
/// Two texts whose sets of n-grams have the Jaccard similarity s share a band with a probability of
/// 1 - (1 - s^kRows)^kBands: a half at 0.72. Numbers of FineWeb (Penedo et al. 2024, arXiv
/// 2406.17557, section 3.4).
inline constexpr unsigned kBands = 14;
inline constexpr unsigned kRows = 8;
inline constexpr unsigned kBins = kBands * kRows;

/// Makes the keys of the bands of a text. Texts with the same tokens have the same keys; a text of
/// fewer tokens than an n-gram has is one n-gram by itself. Use one per thread.
class BandKeys final : public ngram::TokenWatch {
  public:
    /// `out` holds kBands rows of `rows` keys: that of a band and a row is at band * rows + row.
    BandKeys(std::uint64_t* out, std::int64_t rows) : out_(out), rows_(rows) {}

    void start_document() override;
    void take(std::span<const std::uint64_t> hashes) override;
    void finish(std::int64_t row) override;

  private:
    void add(std::uint64_t ngram);
    void fill_empty_bins();

    std::uint64_t* out_;
    std::int64_t rows_;
    std::array<std::uint64_t, kBins> least_{};  ///< by bin the least hash; kEmpty if it has none
    std::array<std::uint64_t, kOrder> last_{};  ///< hashes of the last tokens; 0 before the first
    std::uint64_t rolling_ = 0;                 ///< of the last tokens
    std::size_t tokens_ = 0;
};

/// Makes the BandKeys of threads, for passes that do other work on the same tokens.
class BandKeysOfRows final : public ngram::TokenWatches {
  public:
    /// Sets the keys of the `rows` rows to those of a row without tokens, which no watch finishes.
    BandKeysOfRows(std::uint64_t* out, std::int64_t rows);

    std::unique_ptr<ngram::TokenWatch> make() const override;

  private:
    std::uint64_t* out_;
    std::int64_t rows_;
};

/// Writes the keys of all rows, as BandKeys has them; 0 for rows without tokens, null rows, and
/// rows that are not UTF-8. The result does not depend on `threads` (at least 1).
void band_keys(const arrow::TextColumn& column, const ngram::Tokens& tokens, unsigned threads,
               std::uint64_t* out);

}  // namespace dsir::minhash
