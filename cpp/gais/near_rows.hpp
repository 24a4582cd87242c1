#pragma once

#include <cstdint>
#include <vector>

#include "gais/panels.hpp"
#include "gais/prototypes.hpp"

namespace dsir::gais {

/// The members of each part ordered by class, those of a class as they were. The search numbers
/// the rows of a part by their place in this order.
std::vector<std::int32_t> members_by_class(const std::int32_t* labels, const std::int32_t* members,
                                           std::int64_t size);

/// For every row of a part as a candidate, the rows of the part that are near to it.
///
/// An exchange changes only rows that are nearer to the candidate than to their second nearest
/// prototype, and these are few. Their distances are the same for every search over the same part,
/// so they are computed once. A row counts as near within its reach: the distance to its
/// kReachPlace-th nearest prototype at the start, one reach for the prototypes of its own class and
/// one for those of others, and the longest over the starts of all searches.
class NearRows {
  public:
    /// The rows near to one candidate: their places in the part, ascending, and their distances.
    struct List {
        const std::int32_t* places;
        const float* distances;
        std::int64_t size;
    };
    /// The prototypes that a search starts from: part g has [ends[g], ends[g + 1]).
    struct Start {
        const std::int32_t* prototypes;
        const std::int64_t* ends;
    };

    /// Finds the near rows of every part. If the lists would have more than `most` entries, by an
    /// estimate from some of them, there are none.
    NearRows(const numeric::DenseRows& rows, const std::int32_t* labels, const Parts& parts,
             const std::vector<Start>& starts, std::int64_t most, unsigned threads);

    /// Whether there are lists.
    bool known() const { return !blocks_.empty(); }
    std::int64_t entries() const;
    /// Whether the parts have the sizes of those that the lists were made of.
    bool fits(const Parts& parts) const;

    List of(std::int64_t part, std::int64_t place) const {
        const std::int64_t at = offsets_[part] + place;
        const Block& block = blocks_[at / kBlockRows];
        const std::int64_t begin = block.ends[at % kBlockRows];
        return {block.places.data() + begin, block.distances.data() + begin,
                block.ends[at % kBlockRows + 1] - begin};
    }
    /// The reaches of a part's rows, by place.
    const float* own_reach(std::int64_t part) const { return own_reach_.data() + offsets_[part]; }
    const float* other_reach(std::int64_t part) const {
        return other_reach_.data() + offsets_[part];
    }

  private:
    static constexpr std::int64_t kBlockRows = 64;
    /// The lists of kBlockRows candidates.
    struct Block {
        std::vector<std::int64_t> ends;
        std::vector<std::int32_t> places;
        std::vector<float> distances;
    };

    void find_reach(const numeric::DenseRows& rows, const std::int32_t* labels, const Start& start,
                    unsigned threads);
    void fill(const std::vector<Panels>& panels, const numeric::DenseRows& rows,
              const std::int32_t* labels, std::int64_t block, Block& found) const;
    std::int64_t part_of(std::int64_t at) const;

    std::vector<std::int64_t> offsets_;  ///< one more than parts
    std::vector<std::int32_t> members_;  ///< of all parts, by class
    std::vector<float> own_reach_, other_reach_;
    std::vector<Block> blocks_;
};

}  // namespace dsir::gais
