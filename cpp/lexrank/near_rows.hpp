#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "lexrank/comparable_rows.hpp"
#include "lexrank/join_block.hpp"

namespace dsir::lexrank {

/// The rows of one block whose cosine with a query may reach some value, without a look at every
/// row. For vectors without negative entries.
///
/// Columns are numbered by how common they are. The entries of the query below some column, the
/// cut, are left out: their lists are the longest and their weights the least. What they could add
/// is at most the length of the query's part there times that of the other row's (Cauchy and
/// Schwarz; the bounds of Anastasiu & Karypis 2014, "L2AP", by the row and not by the entry). Rows
/// are looked at that either have a rarer column in common with the query, or lie in the common
/// columns for so large a part that they need none. The cut is chosen for every query and block,
/// by the lengths of the lists.
class NearRows {
  public:
    /// Memory to work in, one a thread.
    struct Scratch {
        std::vector<float> sums;  ///< per row of the block; zeros between calls
        std::vector<float> found;
        struct List {
            std::uint32_t begin, end;
            float weight;
        };
        std::vector<List> lists;
    };

    NearRows(const ComparableSparse& rows, std::int64_t begin, std::int64_t end);

    /// A cosine that at least `k` rows of the block other than the query reach; 0 where a look at
    /// the query's rare columns does not show so many.
    double sure_reach(std::int64_t query, std::int64_t k, Scratch& scratch) const;

    /// Calls `reach = body(j)` for every row `j` of the block, counted from its first, whose cosine
    /// with the query may be `reach`, in some order, never twice; maybe for others, and maybe for
    /// the query itself. `reach` is above 0, and may rise on the way.
    template <class Body>
    void each(std::int64_t query, double reach, Scratch& scratch, Body&& body) const {
        const Cut cut = choose_cut(query, reach, scratch);
        add_up(scratch);
        float* const sums = scratch.sums.data();
        float least = least_estimate(reach);
        if (cut.level >= 0) {
            // The step of `part_` that is at least the row's own; and the rows above `cut.most`.
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

    /// What is left out of a query.
    struct Cut {
        std::int64_t level = -1;  ///< position in `cuts_`; -1: nothing is left out
        float length = 0;         ///< of the query's part below the cut
        std::int64_t most = 0;    ///< rows with a part of more steps are heads
        std::int64_t heads = 0;   ///< how many there are
    };

    Cut choose_cut(std::int64_t query, double reach, Scratch& scratch) const;
    void add_up(Scratch& scratch) const;
    float least_estimate(double reach) const {
        // Above 0: a row with nothing in common is never called.
        return std::max(static_cast<float>(reach) * (1 - 0x1p-22F) - error_, 0x1p-100F);
    }

    /// Calls body(j, sum) for the rows in the lists and clears; again with 0 for those that come
    /// again. The body is to look at the sum first for what is rare: which rows come again cannot
    /// be foretold, and a wrong guess costs more than all the rest.
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
    float error_;                       ///< what a sum of all of a row's products may be off by
    std::vector<std::int32_t> cuts_;    ///< ascending columns
    std::vector<std::uint8_t> part_;    ///< cuts x rows: length below the cut, in steps, rounded up
    std::vector<std::uint16_t> order_;  ///< cuts x rows: the rows, largest part first
    std::vector<std::int32_t> above_;   ///< cuts x (kSteps + 1): rows with more steps than that
};

}  // namespace dsir::lexrank
