#include "text/sentences.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "unicode/unicode_tables.hpp"
#include "unicode/utf8.hpp"

namespace dsir::text {
namespace {

// Abbreviations after which the sentence goes on, whatever comes next. Sorted.
constexpr std::array<std::string_view, 44> kAbbreviations = {
    "al",   "approx", "capt", "cf",  "col",  "dr",  "e.g", "eg",  "eq",     "eqs",  "fig",
    "figs", "gen",    "gov",  "hon", "i.e",  "ie",  "lt",  "maj", "messrs", "mlle", "mm",
    "mme",  "mr",     "mrs",  "ms",  "mt",   "no",  "nos", "pp",  "prof",   "pres", "rep",
    "reps", "rev",    "sec",  "sen", "sens", "sgt", "st",  "viz", "vol",    "vols", "vs"};

bool is_space(char32_t c) {
    return unicode::properties_of(c).kind == static_cast<int>(unicode::Kind::space);
}
bool is_lower(char32_t c) {
    const auto& properties = unicode::properties_of(c);
    return properties.cased != 0 && properties.lower_delta == 0 && properties.special == 0;
}
bool is_final_stop(char32_t c) {
    return c == U'\u3002' || c == U'\uFF01' || c == U'\uFF1F' || c == U'\uFF61';
}
bool is_stop(char32_t c) {
    return c == '.' || c == '!' || c == '?' || c == U'\u2026';
}
bool is_closing(char32_t c) {
    switch (c) {
        case '"':
        case '\'':
        case ')':
        case ']':
        case '}':
        case U'\u2019':
        case U'\u201D':
        case U'\u00BB':
        case U'\u300D':
        case U'\u300F':
        case U'\u3011':
        case U'\uFF09':
            return true;
        default:
            return false;
    }
}
bool is_opening(char32_t c) {
    switch (c) {
        case '"':
        case '\'':
        case '(':
        case '[':
        case '{':
        case '*':
        case U'\u2018':
        case U'\u201C':
        case U'\u201E':
        case U'\u00AB':
        case U'\u300C':
        case U'\u300E':
            return true;
        default:
            return false;
    }
}

class Splitter {
  public:
    explicit Splitter(std::string_view text)
        : begin_(reinterpret_cast<const std::uint8_t*>(text.data())), end_(begin_ + text.size()) {}

    std::optional<std::vector<Span>> split() {
        const std::uint8_t* at = begin_;
        while (at < end_) {
            const unicode::Decoded c = unicode::decode_utf8(at, end_);
            if (c.length == 0) return std::nullopt;
            const std::uint8_t* const behind = at + c.length;
            if (c.code_point == '\n' && blank_line_follows(behind)) {
                close();
            } else if (!is_space(c.code_point)) {
                if (first_ == nullptr) first_ = at;
                last_ = behind;
                if (is_final_stop(c.code_point) || is_stop(c.code_point)) {
                    at = past_stop(at, c.code_point);
                    if (at == nullptr) return std::nullopt;
                    continue;
                }
            }
            at = behind;
        }
        close();
        return std::move(spans_);
    }

  private:
    /// Skips a run of full stops and what closes it, and ends the sentence if the rule says so.
    /// Returns nullptr if the bytes are not UTF-8.
    const std::uint8_t* past_stop(const std::uint8_t* stop, char32_t first) {
        bool final_stop = is_final_stop(first);
        bool single_point = first == '.';
        const std::uint8_t* at = stop + unicode::decode_utf8(stop, end_).length;
        while (at < end_) {
            const unicode::Decoded c = unicode::decode_utf8(at, end_);
            if (c.length == 0) return nullptr;
            if (is_stop(c.code_point) || is_final_stop(c.code_point)) {
                final_stop = final_stop || is_final_stop(c.code_point);
                single_point = false;
            } else if (!is_closing(c.code_point)) {
                break;
            }
            at += c.length;
        }
        last_ = at;
        if (final_stop || (goes_on_elsewhere(at) && !(single_point && abbreviated(stop)))) close();
        return at;
    }

    /// Whether white space or the end comes next, with no lower-case letter after it.
    bool goes_on_elsewhere(const std::uint8_t* at) const {
        bool space = at == end_;
        while (at < end_) {
            const unicode::Decoded c = unicode::decode_utf8(at, end_);
            if (c.length == 0) return true;  // split() finds this again and reports it.
            if (is_space(c.code_point)) {
                space = true;
            } else if (!space) {
                return false;
            } else if (!is_opening(c.code_point)) {
                return !is_lower(c.code_point);
            }
            at += c.length;
        }
        return space;
    }

    /// Whether a single letter or one of kAbbreviations is before the full stop.
    bool abbreviated(const std::uint8_t* stop) const {
        const std::uint8_t* start = stop;
        std::size_t letters = 0;
        while (start > first_) {
            const unicode::Decoded c = unicode::decode_utf8_before(begin_, start);
            if (is_space(c.code_point) || is_opening(c.code_point)) break;
            start -= c.length;
            // Longer than every abbreviation: do not walk to the beginning of an endless word.
            if (++letters > 8) return false;
        }
        if (letters == 1) {
            // An initial. But in "So am I. Next" the sentence ends.
            const char32_t c = unicode::decode_utf8(start, stop).code_point;
            return unicode::properties_of(c).lower_delta != 0 && c != 'I';
        }
        std::string word(reinterpret_cast<const char*>(start),
                         static_cast<std::size_t>(stop - start));
        for (char& c : word) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
        }
        return std::find(kAbbreviations.begin(), kAbbreviations.end(), word) !=
               kAbbreviations.end();
    }

    /// Whether only white space comes before the next end of line.
    bool blank_line_follows(const std::uint8_t* at) const {
        while (at < end_ && (*at == ' ' || *at == '\t' || *at == '\r')) ++at;
        return at < end_ && *at == '\n';
    }

    void close() {
        if (first_ != nullptr) {
            spans_.push_back({static_cast<std::size_t>(first_ - begin_),
                              static_cast<std::size_t>(last_ - begin_)});
        }
        first_ = nullptr;
    }

    const std::uint8_t* begin_;
    const std::uint8_t* end_;
    const std::uint8_t* first_ =
        nullptr;  ///< first character of the open sentence; null if none is open
    const std::uint8_t* last_ = nullptr;  ///< end of its last character so far
    std::vector<Span> spans_;
};

}  // namespace

std::optional<std::vector<Span>> sentence_spans(std::string_view text) {
    return Splitter(text).split();
}

}  // namespace dsir::text
