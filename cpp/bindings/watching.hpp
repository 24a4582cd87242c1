#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bindings/python.hpp"
#include "contamination/finder.hpp"
#include "minhash/band_keys.hpp"
#include "ngram/several_watches.hpp"

namespace dsir::bindings {

/// What a pass over texts makes of their tokens besides log-weights, and the arrays that it fills.
/// For one pass.
class Watching {
  public:
    /// `index` is None or an NgramIndex, of the same tokens as the pass.
    Watching(py::ssize_t rows, const py::object& index, std::uint32_t most, bool bands)
        : rows_(rows),
          index_(index),
          ngrams(index.is_none() ? 0 : rows),
          text(index.is_none() ? 0 : rows),
          keys({py::ssize_t{minhash::kBands}, bands ? rows : py::ssize_t{0}}) {
        require(rows >= 0, "rows must be at least 0");
        require(most >= 1 && most <= contamination::kMostHits, "most must be 1 to 1,000");
        std::vector<const ngram::TokenWatches*> watches;
        if (!index.is_none()) {
            const contamination::Found found{ngrams.mutable_data(), text.mutable_data(), most};
            watches.push_back(
                &finders_.emplace(index.cast<const contamination::NgramIndex&>(), found, rows));
        }
        if (bands) watches.push_back(&band_keys_.emplace(keys.mutable_data(), rows));
        watches_.emplace(std::move(watches));
    }

    // What makes the watches of threads points at its neighbours.
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

    const ngram::TokenWatches& watches(std::int64_t rows) const {
        require(rows == rows_, "watching must be for as many rows as the array has");
        return *watches_;
    }

  private:
    py::ssize_t rows_;
    py::object index_;  // The finders look into it.
    std::optional<contamination::Finders> finders_;
    std::optional<minhash::BandKeysOfRows> band_keys_;
    std::optional<ngram::SeveralWatches> watches_;

  public:
    py::array_t<std::uint32_t> ngrams;  ///< as contamination::Found has them; empty with no index
    py::array_t<std::uint32_t> text;
    py::array_t<std::uint64_t> keys;  ///< [bands][rows]; no rows if they are not wanted
};

/// The watches of a pass over so many rows; null if there is nothing to watch.
inline const ngram::TokenWatches* watches_of(const Watching* watching, std::int64_t rows) {
    return watching == nullptr ? nullptr : &watching->watches(rows);
}

}  // namespace dsir::bindings
