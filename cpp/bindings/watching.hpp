#pragma once

#include <cstdint>
#include <optional>
#include <utility>
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
    /// `index` is of the same tokens as the pass, or null. It must outlive this.
    Watching(py::ssize_t rows, const contamination::NgramIndex* index, std::uint32_t most,
             bool bands)
        : rows_(rows),
          ngrams_(index == nullptr ? 0 : rows),
          text_(index == nullptr ? 0 : rows),
          keys_({py::ssize_t{minhash::kBands}, bands ? rows : py::ssize_t{0}}) {
        require(rows >= 0, "rows must be at least 0");
        require(most >= 1 && most <= contamination::kMostHits, "most must be 1 to 1,000");
        std::vector<const ngram::TokenWatches*> watches;
        if (index != nullptr) {
            const contamination::Found found{ngrams_.mutable_data(), text_.mutable_data(), most};
            watches.push_back(&finders_.emplace(*index, found, rows));
        }
        if (bands) watches.push_back(&band_keys_.emplace(keys_.mutable_data(), rows));
        watches_.emplace(std::move(watches));
    }

    // `watches_` points at its neighbours.
    Watching(const Watching&) = delete;
    Watching& operator=(const Watching&) = delete;

    const ngram::TokenWatches& watches(std::int64_t rows) const {
        require(rows == rows_, "watching must be for as many rows as the array has");
        return *watches_;
    }

    /// As contamination::Found has them; empty without an index.
    const py::array_t<std::uint32_t>& ngrams() const { return ngrams_; }
    const py::array_t<std::uint32_t>& text() const { return text_; }
    /// [bands][rows]; no rows if they are not wanted.
    const py::array_t<std::uint64_t>& keys() const { return keys_; }

  private:
    py::ssize_t rows_;
    py::array_t<std::uint32_t> ngrams_;
    py::array_t<std::uint32_t> text_;
    py::array_t<std::uint64_t> keys_;
    std::optional<contamination::Finders> finders_;
    std::optional<minhash::BandKeysOfRows> band_keys_;
    std::optional<ngram::SeveralWatches> watches_;
};

/// The watches of a pass over so many rows; null if there is nothing to watch.
inline const ngram::TokenWatches* watches_of(const Watching* watching, std::int64_t rows) {
    return watching == nullptr ? nullptr : &watching->watches(rows);
}

}  // namespace dsir::bindings
