#include "ngram/character_numbers.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

#include "hashing/fast_hash.hpp"
#include "text/lower.hpp"
#include "unicode/segment_tables.hpp"
#include "unicode/unicode_tables.hpp"
#include "unicode/utf8.hpp"

namespace dsir::ngram {
namespace {

using unicode::GraphemeBreak;

constexpr char32_t kZeroWidthJoiner = 0x200D;
constexpr std::size_t kCodePoints = 0x110000;

/// Longer clusters are refused, so that the numbers' texts stay small.
constexpr std::size_t kLongestCluster = 64;

constexpr std::size_t kMostNumbers = std::size_t{1} << 16;

/// Stands for the base of a mark that joins nothing.
constexpr std::uint32_t kNoBase = kMostNumbers;

constexpr std::size_t kLately = 1024;

/// How many bytes are taken one by one.
constexpr std::ptrdiff_t kFewest = 32;
constexpr std::ptrdiff_t kMost = 1024;

std::uint64_t hash_of(const std::string& token) {
    std::uint8_t bytes[kLongestCluster + 8] = {};
    std::memcpy(bytes, token.data(), token.size());
    return hashing::token_hash(bytes, token.size());
}

std::string utf8_of(char32_t code_point) {
    std::uint8_t bytes[4];
    const unsigned size = unicode::encode_utf8(code_point, bytes);
    return {reinterpret_cast<const char*>(bytes), size};
}

constexpr bool is_space(std::size_t byte) {
    return byte == ' ' || (byte >= 0x09 && byte <= 0x0D) || (byte >= 0x1C && byte <= 0x1F);
}

bool is_space_beyond_ascii(char32_t code_point) {
    return unicode::Kind{unicode::properties_of(code_point).kind} == unicode::Kind::space;
}

}  // namespace

CharacterNumbers::CharacterNumbers(const text::Cutting& cutting)
    : clusters_(cutting.kind == text::TokenizerKind::chars),
      lower_(cutting.letters == text::Case::lower),
      steps_(kRows * 256, kNoStep),
      pages_(kCodePoints / kPage),
      entries_(kPage),
      lately_(kLately) {
    written_.resize(kSmall);
    hashes_.resize(kSmall);
    for (std::size_t byte = 0; byte < 0x80; ++byte) {
        const bool upper = lower_ && byte >= 'A' && byte <= 'Z';
        const std::size_t number = upper ? byte + 0x20 : byte;
        steps_[byte] = is_space(byte) ? 0 : kOneNumber | static_cast<Step>(number);
        written_[byte] = std::string(1, static_cast<char>(byte));
        hashes_[byte] = hash_of(written_[byte]);
    }
    // The first bytes of characters of two bytes.
    for (std::size_t lead = 0xC2; lead < 0xE0; ++lead) {
        rows_[lead] = static_cast<std::uint16_t>(256 * (lead - 0xC1));
        steps_[lead] = 0;
    }
}

std::optional<CharacterNumbers::Numbered> CharacterNumbers::number(std::string_view document) {
    // What is written beyond the last number: eight bytes that are not steps, and the next.
    if (numbers_.size() < document.size() + 24) numbers_.resize(document.size() + 24);
    out_ = numbers_.data();
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(document.data());
    const Outcome outcome = write(begin, begin + document.size());
    if (outcome == Outcome::refused) return std::nullopt;
    return Numbered{{numbers_.data(), out_}, outcome == Outcome::done};
}

CharacterNumbers::Outcome CharacterNumbers::write(const std::uint8_t* const begin,
                                                  const std::uint8_t* const end) {
    const std::uint8_t* at = begin;
    std::ptrdiff_t one_by_one = kFewest;
    Number* out = out_;  // A local: the compiler then knows that no store changes it.
    while (at < end) {
        const std::uint8_t* const from = at;
        at = step_eights(at, end, out);
        // Then one by one for a while, and for longer where most characters are not for the steps.
        one_by_one = at - from >= 2 * kFewest ? kFewest : std::min(2 * one_by_one, kMost);
        const std::uint8_t* const stop = at + std::min(end - at, one_by_one);
        while (at < stop) {
            if (*at < 0x80) {
                const Step step = steps_[*at++];
                *out = static_cast<Number>(step);
                out += step >> 16;
                continue;
            }
            if (*at >= 0xE0) {
                const std::uint8_t* const first = at;
                at = take_threes(at, end, out);
                if (at != first) continue;
            }
            const unicode::Decoded decoded = unicode::decode_utf8(at, end);
            if (decoded.length == 0) return Outcome::not_utf8;
            const Number number = entry_of(decoded.code_point);
            if (number >= kLeastUsed) {
                *out++ = number;
            } else {
                out_ = out;
                if (!write_other(decoded.code_point, begin, at, end)) return Outcome::refused;
                out = out_;
            }
            at += decoded.length;
        }
    }
    out_ = out;
    return Outcome::done;
}

/// Takes eight bytes at a time, as long as they have only characters of one and two bytes that the
/// steps know, and returns where the next character begins. There is no branch on single bytes:
/// letters beyond ASCII come too irregularly.
const std::uint8_t* CharacterNumbers::step_eights(const std::uint8_t* at, const std::uint8_t* end,
                                                  Number*& out) const {
    const Step* const steps = steps_.data();
    const std::uint16_t* const rows = rows_.data();
    Number* to = out;
    std::size_t row = 0;
    while (end - at >= 8) {
        std::size_t next_row = row;
        Number* next = to;
        std::uint64_t eight = 0;
        std::memcpy(&eight, at, sizeof eight);
        Step all = 0;
        for (unsigned i = 0; i < 8; ++i) {
            const auto byte = static_cast<std::uint8_t>(eight >> (8 * i));
            const Step step = steps[next_row + byte];
            *next = static_cast<Number>(step);
            next += step >> 16;
            all |= step;
            next_row = rows[byte];
        }
        if (all >= kNoStep) break;
        to = next;
        row = next_row;
        at += 8;
    }
    out = to;
    return row == 0 ? at : at - 1;
}

/// Takes characters of three bytes that have numbers, and returns where the first other one begins.
const std::uint8_t* CharacterNumbers::take_threes(const std::uint8_t* at, const std::uint8_t* end,
                                                  Number*& out) const {
    const std::uint32_t* const pages = pages_.data();
    const Number* const entries = entries_.data();
    Number* to = out;
    for (; end - at >= 4; at += 3) {
        std::uint32_t four = 0;
        std::memcpy(&four, at, sizeof four);
        if ((four & 0x00C0C0F0) != 0x008080E0) break;
        const std::uint32_t code_point =
            ((four & 0x0F) << 12) | ((four >> 2) & 0x0FC0) | ((four >> 16) & 0x3F);
        const Number number = entries[pages[code_point / kPage] + code_point % kPage];
        if (number < kLeastUsed || code_point < 0x800) break;
        *to++ = number;
    }
    out = to;
    return at;
}

/// Writes the character at `at`, which has no number. Returns false to refuse the document.
bool CharacterNumbers::write_other(char32_t code_point, const std::uint8_t* begin,
                                   const std::uint8_t* at, const std::uint8_t* end) {
    const std::uint8_t* const after = at + unicode::decode_utf8(at, end).length;
    const Number known = entry_of(code_point);
    if (known == kSpace) return true;
    if (known == kMark) return write_mark(code_point, joins_before(begin, at), after, end);
    const unicode::CharacterProperties& properties = unicode::properties_of(code_point);
    const bool joins = joins_before(begin, at);
    if (!lower_) return write_lowered(code_point, code_point, joins, after, end);
    if (properties.special == 0) {
        const auto lowered =
            static_cast<char32_t>(static_cast<std::int32_t>(code_point) + properties.lower_delta);
        return write_lowered(lowered, code_point, joins, after, end);
    }
    bool written = true;
    bool first = true;
    const auto put = [&](char32_t lowered, unicode::Kind) {
        // Not for the next time: what U+03A3 becomes depends on its neighbours.
        if (lowered < 0x80) {
            *out_++ = static_cast<Number>(lowered);
        } else {
            written = written && write_lowered(lowered, 0, !first || joins, after, end);
        }
        first = false;
    };
    text::lower_special(code_point, begin, at, end, put);
    return written;
}

/// Writes a character in its case. Keeps its number as that of `code_point`, unless that is 0.
bool CharacterNumbers::write_lowered(char32_t lowered, char32_t code_point, bool joins,
                                     const std::uint8_t* after, const std::uint8_t* end) {
    const auto keep_as = [&](Number number) {
        if (code_point != 0) keep(code_point, number);
    };
    if (lowered < 0x80) {
        keep_as(static_cast<Number>(lowered));
        *out_++ = static_cast<Number>(lowered);
        return true;
    }
    if (is_space_beyond_ascii(lowered)) {
        keep_as(kSpace);
        return true;
    }
    const GraphemeBreak own = unicode::segment_properties_of(lowered).grapheme;
    if (clusters_) {
        switch (own) {
            case GraphemeBreak::other:
            case GraphemeBreak::control:
            case GraphemeBreak::hangul_lv:
            case GraphemeBreak::hangul_lvt:
                break;
            case GraphemeBreak::extend:
            case GraphemeBreak::joiner:
            case GraphemeBreak::spacing_mark:
                keep_as(kMark);
                return write_mark(lowered, joins, after, end);
            default:
                return false;
        }
    }
    const std::optional<Number> number = of_character(lowered);
    if (!number) return false;
    *out_++ = *number;
    keep_as(*number);
    return true;
}

/// Whether a mark at `at` belongs to the character before it: not if that is white space or a
/// control character.
bool CharacterNumbers::joins_before(const std::uint8_t* begin, const std::uint8_t* at) const {
    if (at == begin) return false;
    if (at[-1] < 0x80) return at[-1] > 0x20 && at[-1] != 0x7F;
    const char32_t before = unicode::decode_utf8_before(begin, at).code_point;
    return entry_of(before) != kSpace &&
           unicode::segment_properties_of(before).grapheme != GraphemeBreak::control;
}

bool CharacterNumbers::write_mark(char32_t mark, bool joins, const std::uint8_t* after,
                                  const std::uint8_t* end) {
    if (mark == kZeroWidthJoiner && after < end) {
        // A pictograph after it may belong to the one before.
        const unicode::Decoded next = unicode::decode_utf8(after, end);
        if (next.length != 0 && unicode::segment_properties_of(next.code_point).pictographic) {
            return false;
        }
    }
    const std::optional<Number> number = of_cluster(joins ? out_[-1] : kNoBase, mark);
    if (!number) return false;
    if (joins) --out_;
    *out_++ = *number;
    return true;
}

/// Makes `number`, or what stands for one, the entry of a character beyond ASCII.
void CharacterNumbers::keep(char32_t code_point, Number number) {
    std::uint32_t& page = pages_[code_point / kPage];
    if (page == 0) {
        page = static_cast<std::uint32_t>(entries_.size());
        entries_.resize(entries_.size() + kPage);
    }
    entries_[page + code_point % kPage] = number;
    if (code_point < 0x800 && number != kMark) {
        const std::size_t row = rows_[0xC0 | (code_point >> 6)];
        Step& step = steps_[row + (0x80 | (code_point & 0x3F))];
        step = number == kSpace ? 0 : kOneNumber | number;
    }
}

std::optional<CharacterNumbers::Number> CharacterNumbers::of_character(char32_t code_point) {
    return of_cluster(kNoBase, code_point);
}

/// The number of a cluster that is one character longer than the cluster with number `base`.
std::optional<CharacterNumbers::Number> CharacterNumbers::of_cluster(std::uint32_t base,
                                                                     char32_t mark) {
    const std::uint64_t key = (std::uint64_t{base} << 32) | mark;
    Cluster& lately = lately_[(key * hashing::kRoot2) >> 54];
    static_assert(kLately == std::size_t{1} << (64 - 54));
    if (lately.key == key) return lately.number;
    Number number = 0;
    if (const auto found = given_.find(key); found != given_.end()) {
        number = found->second;
    } else {
        std::string written = base == kNoBase ? std::string() : written_[base];
        written += utf8_of(mark);
        if (written.size() > kLongestCluster) return std::nullopt;
        const std::optional<Number> fresh = give(std::move(written), mark < 0x3000);
        if (!fresh) return std::nullopt;
        number = *fresh;
        given_.emplace(key, number);
    }
    lately = {key, number};
    return number;
}

std::optional<CharacterNumbers::Number> CharacterNumbers::give(std::string written, bool small) {
    const bool takes_small = small && next_small_ < kSmall;
    if (!takes_small && hashes_.size() == kMostNumbers) return std::nullopt;
    const std::size_t number = takes_small ? next_small_++ : hashes_.size();
    if (!takes_small) {
        written_.emplace_back();
        hashes_.emplace_back();
    }
    hashes_[number] = hash_of(written);
    written_[number] = std::move(written);
    return static_cast<Number>(number);
}

}  // namespace dsir::ngram
