#include "gais/exchanges/kept_rows.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "gais/exchanges/ridge.hpp"

namespace dsir::gais::exchanges {
namespace {

constexpr std::int32_t kBlock = 256;  ///< rows whose scores stay in the cache

/// Replaces the greater score and its label where a row scores more.
void take_greater(const float* scores, std::int32_t label, std::int32_t size, float* best,
                  std::int32_t* labels) {
    for (std::int32_t i = 0; i < size; ++i) {
        const bool greater = scores[i] > best[i];
        best[i] = greater ? scores[i] : best[i];
        labels[i] = greater ? label : labels[i];
    }
}

}  // namespace

KeptRows::KeptRows(const PartRows& rows, std::vector<std::int32_t> kept)
    : rows_(rows),
      kept_(std::move(kept)),
      is_kept_(static_cast<std::size_t>(rows.rows()), 0),
      of_class_(static_cast<std::size_t>(rows.classes()), 0),
      products_(kept_.size()),
      bayes_(rows) {
    for (std::size_t slot = 0; slot < kept_.size(); ++slot) {
        is_kept_[kept_[slot]] = 1;
        ++of_class_[rows.label(kept_[slot])];
        products_[slot].resize(static_cast<std::size_t>(rows.rows()));
        rows.products(kept_[slot], products_[slot].data());
        bayes_.change(kept_[slot], 1);
    }
    bayes_.follow();
    bayes_.keep();
}

void KeptRows::put(std::int32_t slot, std::int32_t row) {
    is_kept_[kept_[slot]] = 0;
    --of_class_[rows_.label(kept_[slot])];
    kept_[slot] = row;
    is_kept_[row] = 1;
    ++of_class_[rows_.label(row)];
}

void KeptRows::replace(std::int32_t slot, std::int32_t row) {
    std::vector<float> products;
    if (!spare_.empty()) {
        products = std::move(spare_.back());
        spare_.pop_back();
    }
    products.resize(static_cast<std::size_t>(rows_.rows()));
    rows_.products(row, products.data());
    std::swap(products, products_[slot]);
    replaced_.push_back({slot, kept_[slot], std::move(products)});
    bayes_.change(kept_[slot], -1);
    bayes_.change(row, 1);
    put(slot, row);
}

void KeptRows::keep() {
    for (Replaced& one : replaced_) spare_.push_back(std::move(one.products));
    replaced_.clear();
    bayes_.keep();
}

void KeptRows::undo() {
    while (!replaced_.empty()) {
        Replaced& last = replaced_.back();
        put(last.slot, last.before);
        std::swap(products_[last.slot], last.products);
        spare_.push_back(std::move(last.products));
        replaced_.pop_back();
    }
    bayes_.undo();
}

void KeptRows::ask(std::vector<Tally>& tallies) {
    const std::int32_t classes = rows_.classes();
    const auto slots = static_cast<std::int32_t>(kept_.size());
    tallies.assign(static_cast<std::size_t>(kJudges) * classes, {});
    bayes_.follow();
    labels_.clear();
    for (const std::int32_t row : kept_) labels_.push_back(rows_.label(row));
    among_kept_.resize(static_cast<std::size_t>(slots) * slots);
    for (std::int32_t one = 0; one < slots; ++one) {
        for (std::int32_t other = 0; other <= one; ++other) {
            among_kept_[static_cast<std::size_t>(one) * slots + other] =
                products_[one][kept_[other]];
        }
    }
    ridge_coefficients(among_kept_, labels_, classes, coefficients_);

    std::vector<float> scores(static_cast<std::size_t>(classes) * kBlock);
    float best[kBlock];
    std::int32_t guesses[kJudges][kBlock];
    for (std::int32_t begin = 0; begin < rows_.rows(); begin += kBlock) {
        const std::int32_t size = std::min(kBlock, rows_.rows() - begin);
        bayes_.guess(begin, begin + size, guesses[0]);
        std::fill(scores.begin(), scores.end(), 0.0F);
        std::fill_n(best, size, -1.0F);
        for (std::int32_t slot = 0; slot < slots; ++slot) {
            const float* const products = products_[slot].data() + begin;
            take_greater(products, labels_[slot], size, best, guesses[2]);
            for (std::int32_t label = 0; label < classes; ++label) {
                const float weight = coefficients_[static_cast<std::size_t>(label) * slots + slot];
                float* const sums = scores.data() + label * kBlock;
                for (std::int32_t i = 0; i < size; ++i) sums[i] += weight * products[i];
            }
        }
        std::fill_n(best, size, -std::numeric_limits<float>::infinity());
        for (std::int32_t label = 0; label < classes; ++label) {
            take_greater(scores.data() + label * kBlock, label, size, best, guesses[1]);
        }
        for (std::int32_t i = 0; i < size; ++i) {
            if (has(begin + i)) continue;
            const std::int32_t label = rows_.label(begin + i);
            for (int judge = 0; judge < kJudges; ++judge) {
                Tally* const own = tallies.data() + static_cast<std::size_t>(judge) * classes;
                ++own[label].own;
                ++own[guesses[judge][i]].given;
                own[label].right += guesses[judge][i] == label ? 1 : 0;
            }
        }
    }
}

}  // namespace dsir::gais::exchanges
