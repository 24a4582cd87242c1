#include "fasttext/dictionary.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace dsir::fasttext {
namespace {

void require(bool condition, const char* message) {
    if (!condition) throw std::invalid_argument(message);
}

std::size_t places_for(std::size_t entries) {
    return std::bit_ceil(std::max<std::size_t>(2 * entries, 16));
}

/// Spreads buckets over the places of a table; buckets may be consecutive numbers.
std::size_t place_of(std::int32_t bucket, std::size_t mask) {
    return (static_cast<std::uint32_t>(bucket) * 0x9E3779B97F4A7C15ULL >> 32) & mask;
}

}  // namespace

void Settings::check() const {
    require(dim >= 1, "the dimension is below 1");
    // Longer ones are of no use, and a text takes as much time as they are long.
    constexpr std::int32_t kLongest = 100;
    require(word_ngrams >= 0 && word_ngrams <= kLongest,
            "the length of word n-grams is not between 0 and 100");
    require(loss >= Loss::hierarchical_softmax && loss <= Loss::one_vs_all,
            "the loss is not one of fastText's");
    require(bucket >= 0, "the number of buckets is negative");
    require(minn >= 0 && maxn >= 0 && maxn <= kLongest,
            "the length of subwords is not between 0 and 100");
    require(!has_hashed_features() || bucket > 0, "there are n-grams but no buckets");
}

Dictionary::Dictionary(const Settings& settings, Content content)
    : settings_(settings),
      content_(std::move(content)),
      remainder_(static_cast<std::uint32_t>(std::max(settings.bucket, 1))) {
    check();
    words_ = content_.ends.size() - labels();
    rows_ = words_;
    if (content_.kept_buckets) {
        for (const auto& [bucket, row] : *content_.kept_buckets) {
            rows_ = std::max(rows_, words_ + static_cast<std::size_t>(row) + 1);
        }
        fill_kept();
    } else if (settings_.has_hashed_features()) {
        rows_ += static_cast<std::size_t>(settings_.bucket);
    }
    fill_slots();
}

void Dictionary::check() const {
    settings_.check();
    const std::vector<std::uint64_t>& ends = content_.ends;
    require(labels() >= 1, "the model has no labels");
    require(ends.size() >= labels(), "there are fewer words than labels");
    require(ends.size() < (std::size_t{1} << 31), "there are too many words");
    require(std::is_sorted(ends.begin(), ends.end()) && ends.back() == content_.bytes.size(),
            "the words do not add up");
    require(content_.bytes.size() < (std::size_t{1} << 32), "the words are too long");
    if (!content_.kept_buckets) return;
    for (const auto& [bucket, row] : *content_.kept_buckets) {
        require(bucket >= 0 && row >= 0, "a kept bucket is negative");
    }
}

void Dictionary::fill_slots() {
    slots_.resize(places_for(content_.ends.size()));
    mask_ = slots_.size() - 1;
    for (std::size_t id = 0; id < content_.ends.size(); ++id) {
        const std::string_view text = word(id);
        const std::uint32_t hash = hash_of(text);
        std::size_t at = hash & mask_;
        // Of two equal words the last one counts, as in fastText.
        while (slots_[at].id >= 0 && !(slots_[at].hash == hash &&
                                       word(static_cast<std::size_t>(slots_[at].id)) == text)) {
            at = (at + 1) & mask_;
        }
        Slot& slot = slots_[at];
        slot.hash = hash;
        slot.id = static_cast<std::int32_t>(id);
        slot.size = static_cast<std::uint32_t>(text.size());
        std::copy_n(text.data(), std::min(text.size(), slot.start.size()), slot.start.data());
    }
}

void Dictionary::fill_kept() {
    const auto& buckets = *content_.kept_buckets;
    kept_.assign(places_for(buckets.size()), {-1, 0});
    for (const auto& entry : buckets) {
        std::size_t at = place_of(entry.first, kept_.size() - 1);
        while (kept_[at].first >= 0 && kept_[at].first != entry.first) {
            at = (at + 1) & (kept_.size() - 1);
        }
        kept_[at] = entry;
    }
}

std::int64_t Dictionary::row_of_bucket(std::uint32_t bucket) const {
    if (!content_.kept_buckets) return static_cast<std::int64_t>(words_ + bucket);
    const auto wanted = static_cast<std::int32_t>(bucket);
    for (std::size_t at = place_of(wanted, kept_.size() - 1);; at = (at + 1) & (kept_.size() - 1)) {
        if (kept_[at].first == wanted) {
            return static_cast<std::int64_t>(words_) + kept_[at].second;
        }
        if (kept_[at].first < 0) return -1;
    }
}

}  // namespace dsir::fasttext
