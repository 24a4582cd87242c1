#pragma once

#include <cstdint>
#include <vector>

#include "gais/exchanges/naive_bayes.hpp"
#include "gais/exchanges/part_rows.hpp"

namespace dsir::gais::exchanges {

constexpr int kJudges = 3;  ///< naive Bayes, ridge regression, 1-NN

/// Of the rows that are not kept: how many are of a class, how many a judge gave to it, and how
/// many of these rightly.
struct Tally {
    std::int64_t own = 0;
    std::int64_t given = 0;
    std::int64_t right = 0;
};

/// The rows kept of a part, and the judges trained on them. Rows are exchanged on trial, and kept
/// or put back.
class KeptRows {
  public:
    /// `kept` are the rows, at least one.
    KeptRows(const PartRows& rows, std::vector<std::int32_t> kept);

    const std::vector<std::int32_t>& kept() const { return kept_; }
    bool has(std::int32_t row) const { return is_kept_[row] != 0; }
    /// How many rows of a class are kept.
    std::int32_t of_class(std::int32_t label) const { return of_class_[label]; }

    /// Puts a row that is not kept into a slot, on trial.
    void replace(std::int32_t slot, std::int32_t row);
    /// Keeps what was replaced since the last `keep` or `undo`, or puts it back.
    void keep();
    void undo();

    /// Asks the judges for every row that is not kept: tallies[kJudges][classes].
    void ask(std::vector<Tally>& tallies);

  private:
    struct Replaced {
        std::int32_t slot, before;
        std::vector<float> products;
    };

    void put(std::int32_t slot, std::int32_t row);

    const PartRows& rows_;
    std::vector<std::int32_t> kept_;            ///< [slots]
    std::vector<std::uint8_t> is_kept_;         ///< [rows]
    std::vector<std::int32_t> of_class_;        ///< [classes]
    std::vector<std::vector<float>> products_;  ///< [slots][rows]
    NaiveBayes bayes_;
    std::vector<Replaced> replaced_;
    std::vector<std::vector<float>> spare_;
    std::vector<float> among_kept_, coefficients_;
    std::vector<std::int32_t> labels_;
};

}  // namespace dsir::gais::exchanges
