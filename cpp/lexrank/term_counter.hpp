#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arrow/text_column.hpp"
#include "lexrank/vocabulary.hpp"

namespace dsir::lexrank {

/// How often each term is in each unit: compressed sparse rows.
struct TermCounts {
    std::vector<std::int64_t> offsets;          ///< one more than units
    std::vector<std::int32_t> columns;          ///< numbers of terms, ascending in a row
    std::vector<float> counts;                  ///< exact up to 2^24
    std::vector<std::int64_t> document_counts;  ///< per term: in how many units it is
};

/// Counts the terms of units (sentences, documents): tokens of text::WordPunct, lower-cased, less
/// stop words and, with `words_only`, less runs of punctuation.
///
/// Terms are numbered by the number of units they are in, the most common first, and by their first
/// occurrence among equals. That, and so every number here, is the same for any number of threads
/// and however the units are cut into batches.
class TermCounter {
  public:
    /// `keep_rows` false: only document counts are kept, for idf.
    TermCounter(bool words_only, const std::vector<std::string>& stopwords, bool keep_rows);

    /// Adds a unit for every row; null rows and rows that are not UTF-8 (or longer than 2 GiB) are
    /// units without terms. Returns the positions of the latter two kinds, ascending.
    std::vector<std::int64_t> add(const arrow::TextColumn& column, unsigned threads);

    /// Adds units that come as tokens: unit r is tokens[offsets[r]] to tokens[offsets[r + 1] - 1].
    /// Tokens are taken as they are, except that stop words and empty ones are dropped.
    void add_tokens(const arrow::TextColumn& tokens, const std::vector<std::int64_t>& offsets,
                    unsigned threads);

    /// Adds what another counted: terms and document counts, no rows.
    void merge(const TermCounter& other);

    /// Adds a term that is in so many documents; for counts read from a file.
    void add_term(std::string_view term, std::int64_t documents);
    void add_documents(std::int64_t documents) { documents_ += documents; }

    /// The rows and counts; the rows are handed over and forgotten.
    TermCounts take(unsigned threads);

    /// In how many of its documents `fitted` has met each term of this one, as `take` numbers them.
    std::vector<std::int64_t> document_counts_in(const TermCounter& fitted) const;

    std::int64_t units() const { return units_; }
    /// Units with at least one term.
    std::int64_t documents() const { return documents_; }
    const Vocabulary& terms() const { return terms_; }
    /// Per term, in the vocabulary's order.
    const std::vector<std::int64_t>& term_documents() const { return term_documents_; }

  private:
    struct Block;
    template <class Fill>
    std::vector<std::int64_t> add_blocks(std::int64_t rows, std::int64_t rows_a_block,
                                         unsigned threads, const Fill& fill);
    void absorb(Block& block);
    /// Numbers of terms, as `take` gives them, to those of the vocabulary.
    std::vector<std::uint32_t> by_frequency() const;

    bool words_only_;
    bool keep_rows_;
    Vocabulary stopwords_;
    Vocabulary terms_;
    std::vector<std::int64_t> term_documents_;
    std::int64_t units_ = 0;
    std::int64_t documents_ = 0;

    /// Rows as they were counted, one chunk a block, so that growing never copies them.
    struct Chunk {
        std::vector<std::uint32_t> row_sizes;
        std::vector<std::uint32_t> terms;
        std::vector<float> counts;
    };
    std::vector<Chunk> chunks_;
};

}  // namespace dsir::lexrank
