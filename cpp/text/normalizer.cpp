#include "text/normalizer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "text/row_status.hpp"
#include "unicode/normal_form_tables.hpp"
#include "unicode/utf8.hpp"

namespace dsir::text {
namespace {

using unicode::NormalProperties;
using unicode::QuickCheck;

// Hangul syllables, as the Unicode Standard computes them (section 3.12).
constexpr char32_t kSyllables = 0xAC00;
constexpr char32_t kLeads = 0x1100;
constexpr char32_t kVowels = 0x1161;
constexpr char32_t kTrails = 0x11A7;  ///< no trail; the first one is the next
constexpr char32_t kLeadCount = 19;
constexpr char32_t kVowelCount = 21;
constexpr char32_t kTrailCount = 28;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTrailCount;

/// The character that two characters become, or 0.
char32_t composite_of(char32_t first, char32_t second) {
    // A difference wraps around, so one comparison says whether it is in a range.
    if (first - kLeads < kLeadCount && second - kVowels < kVowelCount) {
        return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTrailCount;
    }
    if (first - kSyllables < kSyllableCount && (first - kSyllables) % kTrailCount == 0 &&
        second > kTrails && second < kTrails + kTrailCount) {
        return first + (second - kTrails);
    }
    const std::uint64_t pair = (std::uint64_t{first} << 32) | second;
    const std::uint64_t* const pairs = unicode::kComposedPairs;
    const std::uint64_t* const last = pairs + unicode::kCompositions;
    const std::uint64_t* const found = std::lower_bound(pairs, last, pair);
    return found != last && *found == pair ? unicode::kComposites[found - pairs] : 0;
}

/// Whether a form leaves `second`, a possible part of a composite, as it is after `first`, which is
/// sure. May say no of some that stay.
bool stays_after(const unicode::NormalForm& tables, char32_t first, char32_t second,
                 std::uint8_t class_of_second) {
    if (composite_of(first, second) != 0) return false;
    if (class_of_second == 0) return true;
    // The marks of a composite could come after the second in canonical order.
    const char32_t* const last = tables.decomposed + tables.decompositions;
    return !std::binary_search(tables.decomposed, last, first);
}

}  // namespace

Normalizer::Normalizer(Form form, bool keep_changes)
    : pass_sure_(form == Form::nfkc ? simd::cut_kernels(simd::active_level()).sure_compatible
                                    : simd::cut_kernels(simd::active_level()).sure),
      tables_(form == Form::nfkc ? unicode::kFormKc : unicode::kFormC),
      keep_changes_(keep_changes) {}

std::optional<std::string_view> Normalizer::operator()(std::string_view document) {
    begin_ = reinterpret_cast<const std::uint8_t*>(document.data());
    end_ = begin_ + document.size();
    copied_ = begin_;
    text_.clear();
    changes_.clear();
    for (const std::uint8_t* at = begin_; at < end_;) {
        std::uint64_t unsure = 0;
        const auto available = static_cast<std::size_t>(end_ - at);
        if (available >= 64) {
            at += 64 * pass_sure_(at, available / 64, unsure);
            if (unsure == 0) continue;
        } else {
            std::uint8_t padded[64] = {};
            std::memcpy(padded, at, available);
            pass_sure_(padded, 1, unsure);
        }
        const std::uint8_t* done = at + std::min<std::ptrdiff_t>(64, end_ - at);
        for (const std::uint8_t* known = at; unsure != 0; unsure &= unsure - 1) {
            const std::uint8_t* const here = at + std::countr_zero(unsure);
            if (here < known) continue;
            const unicode::Decoded decoded = unicode::decode_utf8(here, end_);
            if (decoded.length == 0) return document;
            const NormalProperties properties = tables_.properties_of(decoded.code_point);
            if (properties.sure()) continue;
            known = take_run(here, properties);
            if (known == nullptr) return document;
            done = std::max(done, known);
        }
        at = done;
        if (text_.size() > kLargestDocument) return std::nullopt;
    }
    if (copied_ == begin_) return document;
    text_.append(reinterpret_cast<const char*>(copied_), static_cast<std::size_t>(end_ - copied_));
    if (text_.size() > kLargestDocument) return std::nullopt;
    return text_;
}

/// Takes the run of characters that are not sure and begins at `at` with a character of these
/// properties; the character before it, if there is one, is sure, or the run joins nothing before
/// it. Returns the end of the run, or null if the text is not UTF-8.
const std::uint8_t* Normalizer::take_run(const std::uint8_t* at, NormalProperties properties_at) {
    unicode::Decoded first{0, 0};  // the character before, if the run may join it
    if (at > begin_ && !properties_at.begins) {
        first = unicode::decode_utf8_before(begin_, at);
        // The text before may be no UTF-8: then the character need not reach up to here.
        if (first.length == 0 || (at[-static_cast<std::ptrdiff_t>(first.length)] & 0xC0) == 0x80) {
            return nullptr;
        }
    }
    const std::uint8_t* end = at;
    bool in_nfc = true;
    std::uint8_t before = 0;  // the last combining class
    while (end < end_) {
        const unicode::Decoded decoded = unicode::decode_utf8(end, end_);
        if (decoded.length == 0) return nullptr;
        const NormalProperties properties = tables_.properties_of(decoded.code_point);
        if (properties.sure() || (properties.begins && end != at)) break;
        const std::uint8_t own = properties.combining_class;
        const bool stays = properties.check == QuickCheck::yes ||
                           (properties.check == QuickCheck::maybe && end == at &&
                            (first.length == 0 ||
                             stays_after(tables_, first.code_point, decoded.code_point, own)));
        if (!stays || (own != 0 && own < before)) in_nfc = false;
        before = own;
        end += decoded.length;
    }
    if (in_nfc) return end;
    decompose(at - first.length, end);
    compose();
    replace(at - first.length, end);
    return end;
}

/// Makes `run_` the full decomposition of [begin, end), which is UTF-8, in canonical order.
void Normalizer::decompose(const std::uint8_t* begin, const std::uint8_t* end) {
    run_.clear();
    while (begin < end) {
        const unicode::Decoded decoded = unicode::decode_utf8(begin, end);
        put(decoded.code_point);
        begin += decoded.length;
    }
    const auto is_starter = [](const Character& one) { return one.combining_class == 0; };
    for (auto at = run_.begin(); at != run_.end();) {
        at = std::find_if_not(at, run_.end(), is_starter);
        const auto last = std::find_if(at, run_.end(), is_starter);
        std::stable_sort(at, last, [](const Character& a, const Character& b) {
            return a.combining_class < b.combining_class;
        });
        at = last;
    }
}

/// Appends the decomposition of one character to `run_`.
void Normalizer::put(char32_t code_point) {
    const char32_t syllable = code_point - kSyllables;
    if (syllable < kSyllableCount) {
        run_.push_back({kLeads + syllable / (kVowelCount * kTrailCount), 0});
        run_.push_back({kVowels + syllable / kTrailCount % kVowelCount, 0});
        if (syllable % kTrailCount != 0) run_.push_back({kTrails + syllable % kTrailCount, 0});
        return;
    }
    const char32_t* const last = tables_.decomposed + tables_.decompositions;
    const char32_t* const found = std::lower_bound(tables_.decomposed, last, code_point);
    if (found == last || *found != code_point) {
        run_.push_back({code_point, tables_.properties_of(code_point).combining_class});
        return;
    }
    const std::uint16_t* const starts = tables_.decomposition_starts + (found - tables_.decomposed);
    for (std::size_t i = starts[0]; i < starts[1]; ++i) {
        const char32_t part = tables_.decomposition_parts[i];
        run_.push_back({part, tables_.properties_of(part).combining_class});
    }
}

/// Makes `composed_` the canonical composition of `run_`.
void Normalizer::compose() {
    std::size_t size = 0;               // of what is composed so far, at the front of `run_`
    std::size_t starter = run_.size();  // its last starter; none at first
    for (const Character one : run_) {
        // Something between the two blocks a character, if it is a starter or has the same class.
        const bool next_to_it = size == starter + 1;
        const bool blocked =
            !next_to_it && (size == 0 || run_[size - 1].combining_class >= one.combining_class);
        if (starter < size && !blocked) {
            const char32_t both = composite_of(run_[starter].code_point, one.code_point);
            if (both != 0) {
                run_[starter].code_point = both;
                continue;
            }
        }
        if (one.combining_class == 0) starter = size;
        run_[size++] = one;
    }
    composed_.clear();
    for (std::size_t i = 0; i < size; ++i) {
        std::uint8_t bytes[4];
        const unsigned length = unicode::encode_utf8(run_[i].code_point, bytes);
        composed_.append(reinterpret_cast<const char*>(bytes), length);
    }
}

/// Puts `composed_` in place of [begin, end) if it is another text.
void Normalizer::replace(const std::uint8_t* begin, const std::uint8_t* end) {
    const std::string_view old(reinterpret_cast<const char*>(begin),
                               static_cast<std::size_t>(end - begin));
    if (old == composed_) return;
    // The first character may stay: then the others change as they would without it.
    const unsigned first = unicode::decode_utf8(begin, end).length;
    const bool stays = composed_.compare(0, first, old, 0, first) == 0;
    if (stays) {
        begin += first;
        composed_.erase(0, first);
    }
    text_.append(reinterpret_cast<const char*>(copied_), static_cast<std::size_t>(begin - copied_));
    if (keep_changes_) {
        const auto place = static_cast<std::uint32_t>(text_.size());
        changes_.push_back({static_cast<std::uint32_t>(begin - begin_),
                            static_cast<std::uint32_t>(end - begin_), place,
                            place + static_cast<std::uint32_t>(composed_.size())});
    }
    text_ += composed_;
    copied_ = end;
}

}  // namespace dsir::text
