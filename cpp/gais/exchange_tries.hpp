#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gais/prototype_slots.hpp"
#include "numeric/mixed.hpp"

namespace dsir::gais {

/// A try to exchange the prototype of a slot for a row; -1 for no row.
struct Try {
    std::int64_t number;
    std::int32_t slot;
    std::int32_t candidate;
};

/// Consecutive rows of a part.
struct Rows {
    std::int64_t begin, end;
    bool has(std::int64_t row) const { return row >= begin && row < end; }
};

/// Draws the exchanges to try in a part. Its rows are numbered by class.
class ExchangeTries {
  public:
    /// `members` are the rows of the part, those of a class consecutive; `count` is the number of
    /// prototypes.
    ExchangeTries(const std::vector<std::int32_t>& members, const std::int32_t* labels,
                  const std::uint8_t* allowed, std::int32_t count)
        : members_(members), labels_(labels), allowed_(allowed), count_(count) {
        std::int32_t classes = 0;
        for (const std::int32_t row : members) classes = std::max(classes, labels[row] + 1);
        class_ends_.assign(static_cast<std::size_t>(classes) + 1, 0);
        for (const std::int32_t row : members) ++class_ends_[labels[row] + 1];
        for (std::int32_t c = 0; c < classes; ++c) class_ends_[c + 1] += class_ends_[c];
        pools_.resize(static_cast<std::size_t>(classes));
        for (std::size_t i = 0; i < members.size(); ++i) {
            if (allowed[members[i]] == 0) continue;
            pools_[labels[members[i]]].push_back(static_cast<std::int32_t>(i));
        }
    }
    // members_ refers to the owner.
    ExchangeTries(const ExchangeTries&) = delete;
    ExchangeTries& operator=(const ExchangeTries&) = delete;

    Rows rows_of_class(std::int32_t label) const {
        return {class_ends_[label], class_ends_[label + 1]};
    }

    /// Draws a try: a row of the slot's own cluster with the chance `local`, otherwise any row of
    /// its class. `served` has for each slot the rows of which it is the nearest, ascending.
    Try draw(double local, std::uint64_t seed, std::int64_t number, const PrototypeSlots& slots,
             const std::vector<std::vector<std::int32_t>>& served) {
        auto draws = static_cast<std::uint64_t>(number) * 3;
        const auto uniform = [&] {
            return static_cast<double>(numeric::mixed(seed, draws++) >> 11) * 0x1p-53;
        };
        Try found = {number, static_cast<std::int32_t>(uniform() * count_), -1};
        const std::int32_t label = labels_[slots.prototype(found.slot)];
        const std::vector<std::int32_t>* pool = &pools_[label];
        if (uniform() < local) {
            const std::vector<std::int32_t>& rows = served[found.slot];
            const Rows of_class = rows_of_class(label);
            const auto begin = std::lower_bound(rows.begin(), rows.end(), of_class.begin);
            const auto end = std::lower_bound(begin, rows.end(), of_class.end);
            cluster_.clear();
            for (auto row = begin; row != end; ++row) {
                if (allowed_[members_[*row]] != 0) cluster_.push_back(*row);
            }
            pool = &cluster_;
        }
        const double place = uniform();
        if (pool->empty()) return found;
        const std::int32_t candidate =
            (*pool)[static_cast<std::size_t>(place * static_cast<double>(pool->size()))];
        if (!slots.has(candidate)) found.candidate = candidate;
        return found;
    }

  private:
    const std::vector<std::int32_t>& members_;
    const std::int32_t* labels_;
    const std::uint8_t* allowed_;
    std::int32_t count_;
    std::vector<std::int64_t> class_ends_;
    std::vector<std::vector<std::int32_t>> pools_;  ///< the rows allowed, by class
    std::vector<std::int32_t> cluster_;
};

}  // namespace dsir::gais
