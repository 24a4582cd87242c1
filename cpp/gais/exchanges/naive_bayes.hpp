#pragma once

#include <cstdint>
#include <vector>

#include "gais/exchanges/part_rows.hpp"

namespace dsir::gais::exchanges {

/// Multinomial naive Bayes that follows the exchange of rows: a word that a row brings or takes
/// changes the scores of the rows that have the word, and of no others.
///
/// The score of a class c for a row x is log(n_c / n) + sum_j x_j log((N_cj + a) / (N_c + a W)):
/// n_c of the n rows kept are of the class, N_cj is the sum of their values in column j, N_c that
/// over all W columns that some row has, and a = 0.1. Sums are whole numbers of 2^-24, so that a
/// row taken back leaves nothing behind.
class NaiveBayes {
  public:
    explicit NaiveBayes(const PartRows& rows);

    /// Adds a row to those kept (+1) or takes it away (-1). Scores change with `follow`.
    void change(std::int32_t row, int sign);
    /// Brings the scores up to what is kept.
    void follow();
    /// Makes what is kept now what `undo` returns to.
    void keep();
    /// Returns to what was kept when `keep` was called last.
    void undo();

    /// Writes the class with the highest score of the rows from `begin` to `end` - 1; of equal ones
    /// the first. Before that, `follow`.
    void guess(std::int32_t begin, std::int32_t end, std::int32_t* out) const;

  private:
    /// The sum of a class's values in a column, and the sum that the scores have.
    struct Count {
        std::int32_t label;
        std::int64_t sum;
        std::int64_t scored;
    };
    struct Change {
        std::int32_t row;
        int sign;
    };
    struct Place {
        std::int32_t column;
        std::int32_t label;
        std::int64_t scored;
    };

    Count& count(std::int32_t column, std::int32_t label);
    void apply(std::int32_t row, int sign);
    double* scores(std::int32_t label) {
        return scores_.data() + static_cast<std::size_t>(label) * rows_.rows();
    }

    const PartRows& rows_;
    std::vector<std::vector<Count>> counts_;  ///< [columns], of the classes that have been there
    std::vector<std::int64_t> totals_;        ///< [classes], N_c
    std::vector<std::int64_t> kept_;          ///< [classes], n_c
    std::vector<double> scores_;              ///< [classes][rows], of the columns alone
    std::vector<double> kept_scores_;
    std::vector<Change> changes_;  ///< since `keep`
    std::vector<Place> touched_;   ///< whose score may be behind
    std::vector<Place> followed_;  ///< since `keep`
};

}  // namespace dsir::gais::exchanges
