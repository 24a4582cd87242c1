#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "lexrank/comparable_rows.hpp"
#include "lexrank/join_block.hpp"

namespace dsir::lexrank {

/// Finds the rows of one block whose cosine with a query may reach some value, without looking at
/// every row. For vectors without negative entries.
///
/// Columns are numbered by how common they are. For every query the class chooses a column, the
/// cut, and does not read the lists of the query's columns below the cut: those lists are the
/// longest, and their weights the smallest. What they could add is at most the length of the
/// query's part below the cut times the length of the other row's part there (Cauchy-Schwarz; the
/// bounds of Anastasiu & Karypis 2014, "L2AP", per row instead of per entry). A row is looked at if
/// it shares a rarer column with the query, or if its part in the common columns is so long that it
/// may reach the value without one; the latter rows are called heads. The lengths of the lists
/// decide on the cut, for each query and block.
class NearRows {
  public:
    /// Scratch memory. Use one per thread.
    struct Scratch {
        std::vector<float> sums;  ///< one per row of the block; zeros between calls
        std::vector<float> found;
        struct List {
            std::uint32_t begin, end;
            float weight;
        };
        std::vector<List> lists;
    };

    NearRows(const ComparableSparse& rows, std::int64_t begin, std::int64_t end);

    /// A cosine that at least `k` rows of the block other than the query are sure to reach, or 0 if
    /// the query's rarest columns do not show that many.
    double sure_reach(std::int64_t query, std::int64_t k, Scratch& scratch) const;

    /// Calls `reach = body(j)` for every row `j` of the block (counted from its first row) whose
    /// cosine with the query may be at least `reach`. The order is not specified; no row is passed
    /// twice, but some other rows and the query itself may be passed. `reach` must be above 0, and
    /// the body may raise it.
    template <class Body>
    void each(std::int64_t query, double reach, Scratch& scratch, Body&& body) const {
        const Cut cut = choose_cut(query, reach, scratch);
        add_up(scratch);
        float* const sums = scratch.sums.data();
        float least = least_estimate(reach);
        if (cut.level >= 0) {
            // The sum, and for the part below the cut a bound: the row's part in steps, rounded up.
            const std::uint8_t* const part = part_.data() + cut.level * size_;
            const float a_step = cut.length / kSteps;
            const std::uint16_t* const order = order_.data() + cut.level * size_;
            for (std::int64_t at = 0; at < cut.heads; ++at) {
                const std::uint16_t j = order[at];
                const float sum = sums[j];
                sums[j] = 0;
                if (sum + a_step * static_cast<float>(part[j]) >= least) {
                    least = least_estimate(body(j));
                }
            }
            const float most = a_step * static_cast<float>(cut.most);
            each_sum(scratch, [&](std::uint16_t j, float sum) {
                if (sum + most < least || sum == 0) return;
                if (sum + a_step * static_cast<float>(part[j]) >= least) {
                    least = least_estimate(body(j));
                }
            });
        } else {
            each_sum(scratch, [&](std::uint16_t j, float sum) {
                if (sum >= least) least = least_estimate(body(j));
            });
        }
    }

  private:
    static constexpr std::int64_t kSteps = 255;

    /// The columns of a query that are not read.
    struct Cut {
        std::int64_t level = -1;  ///< position in `cuts_`; -1: all columns are read
        float length = 0;         ///< length of the query's part below the cut
        std::int64_t most = 0;    ///< rows whose part has more steps are heads
        std::int64_t heads = 0;   ///< number of heads
    };

    Cut choose_cut(std::int64_t query, double reach, Scratch& scratch) const;
    void add_up(Scratch& scratch) const;
    float least_estimate(double reach) const {
        // Above 0, so that a row without a common column is never passed.
        return std::max(static_cast<float>(reach) * (1 - 0x1p-22F) - error_, 0x1p-100F);
    }

    /// Calls body(j, sum) for the rows in the lists, and clears their sums. A row that is in
    /// several lists is passed again with 0. The body should first test the sum for something rare:
    /// which rows come again cannot be predicted, and a mispredicted branch costs more than
    /// everything else here.
    template <class Body>
    void each_sum(Scratch& scratch, Body&& body) const {
        float* const sums = scratch.sums.data();
        for (const auto& list : scratch.lists) {
            for (std::uint32_t p = list.begin; p < list.end; ++p) {
                const std::uint16_t j = index_.member(p);
                const float sum = sums[j];
                sums[j] = 0;
                body(j, sum);
            }
        }
    }

    const ComparableSparse& rows_;
    SparseBlock index_;
    std::int64_t size_;
    float error_;                     ///< how far off the sum of all products of a row may be
    std::vector<std::int32_t> cuts_;  ///< ascending columns
    std::vector<std::uint8_t> part_;  ///< [cuts, rows]: length below the cut, in steps, rounded up
    std::vector<std::uint16_t> order_;  ///< [cuts, rows]: the rows, longest part first
    std::vector<std::int32_t> above_;   ///< [cuts, kSteps + 1]: number of rows with more steps
};

}  // namespace dsir::lexrank
