#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arrow/text_column.hpp"
#include "lexrank/vocabulary.hpp"

namespace dsir::lexrank {

/// How often each term occurs in each unit, in compressed sparse rows.
struct TermCounts {
    std::vector<std::int64_t> offsets;          ///< one more than units
    std::vector<std::int32_t> columns;          ///< term numbers, ascending in a row
    std::vector<float> counts;                  ///< exact up to 2^24
    std::vector<std::int64_t> document_counts;  ///< per term: the number of units that have it
};

/// Counts the terms of units (sentences or documents). Terms are the lower-cased tokens of
/// text::WordPunct without stop words, and with `words_only` also without runs of punctuation.
///
/// The term that is in most units has number 0, and so on; terms in equally many units are numbered
/// by their hashes, and terms of equal hashes by their bytes. All numbers are therefore the same
/// for any order of the units, any number of threads, and however the units are cut into batches.
class TermCounter {
  public:
    /// With `keep_rows` = false only the document counts are kept, which is enough for idf.
    TermCounter(bool words_only, const std::vector<std::string>& stopwords, bool keep_rows);

    /// Adds one unit per row. Null rows, rows that are not UTF-8 and rows of more than 2 GiB are
    /// units without terms. Returns the positions of the latter two kinds, ascending.
    std::vector<std::int64_t> add(const arrow::TextColumn& column, unsigned threads);

    /// Adds units that come as tokens: unit r is tokens[offsets[r]] to tokens[offsets[r + 1] - 1].
    /// Tokens are taken as they are, but stop words and empty tokens are dropped.
    void add_tokens(const arrow::TextColumn& tokens, const std::vector<std::int64_t>& offsets,
                    unsigned threads);

    /// Adds the terms and document counts of another counter, but not its rows.
    void merge(const TermCounter& other);

    /// Adds a term that is in so many documents, for counts that were read from a file.
    void add_term(std::string_view term, std::int64_t documents);
    void add_documents(std::int64_t documents) { documents_ += documents; }

    /// Returns the rows and the counts. The counter keeps the terms but no longer the rows.
    TermCounts take(unsigned threads);

    /// For each term of this counter, numbered as `take` numbers them: in how many of the documents
    /// of `fitted` the term is.
    std::vector<std::int64_t> document_counts_in(const TermCounter& fitted) const;

    std::int64_t units() const { return units_; }
    /// The number of units with at least one term.
    std::int64_t documents() const { return documents_; }
    const Vocabulary& terms() const { return terms_; }
    /// The document count of each term, in the vocabulary's order.
    const std::vector<std::int64_t>& term_documents() const { return term_documents_; }

  private:
    struct Block;
    template <class Fill>
    std::vector<std::int64_t> add_blocks(std::int64_t rows, std::int64_t rows_a_block,
                                         unsigned threads, const Fill& fill);
    void absorb(Block& block);
    /// The vocabulary's number of each term, in the order in which `take` numbers the terms.
    std::vector<std::uint32_t> by_frequency() const;

    bool words_only_;
    bool keep_rows_;
    Vocabulary stopwords_;
    Vocabulary terms_;
    std::vector<std::int64_t> term_documents_;
    std::int64_t units_ = 0;
    std::int64_t documents_ = 0;

    /// Rows as they were counted. There is one chunk per block, so adding rows never copies earlier
    /// ones.
    struct Chunk {
        std::vector<std::uint32_t> row_sizes;
        std::vector<std::uint32_t> terms;
        std::vector<float> counts;
    };
    std::vector<Chunk> chunks_;
};

}  // namespace dsir::lexrank
