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

constexpr std::size_t kMostNumbers = simd::kLeastSpecial;

/// Stands for the base of a mark that joins nothing.
constexpr std::uint32_t kNoBase = kMostNumbers;

constexpr std::size_t kLately = 1024;

/// How many bytes are taken one by one where the kernels stop again and again, less than kMany
/// bytes apart.
constexpr std::ptrdiff_t kFewest = 16;
constexpr std::ptrdiff_t kMost = 1024;
constexpr std::ptrdiff_t kMany = 128;

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

std::size_t utf8_length(char32_t code_point) {
    return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : 3;
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
      kernels_(simd::code_point_kernels(simd::active_level())),
      entries_(kBeyond, kOther),
      pages_((kCodePoints - kBeyond) / kPage),
      entries_beyond_(kPage, kOther),
      marked_(kMarks),
      lately_(kLately) {
    written_.resize(kSmall);
    hashes_.resize(kSmall);
    for (std::size_t byte = 0; byte < 0x80; ++byte) {
        const bool upper = lower_ && byte >= 'A' && byte <= 'Z';
        const std::size_t number = upper ? byte + 0x20 : byte;
        keep(static_cast<char32_t>(byte), is_space(byte) ? kSpace : static_cast<Number>(number));
        written_[byte] = std::string(1, static_cast<char>(byte));
        hashes_[byte] = hash_of(written_[byte]);
    }
}

std::optional<CharacterNumbers::Numbered> CharacterNumbers::number(std::string_view document) {
    const std::size_t most = document.size() + 2 * simd::kCodePointSlack;
    if (numbers_.size() < most) numbers_.resize(most);
    out_ = numbers_.data();
    const auto* const begin = reinterpret_cast<const std::uint8_t*>(document.data());
    const Outcome outcome = write(begin, begin + document.size());
    if (outcome == Outcome::refused) return std::nullopt;
    return Numbered{{numbers_.data(), out_}, outcome == Outcome::done};
}

CharacterNumbers::Outcome CharacterNumbers::write(const std::uint8_t* const begin,
                                                  const std::uint8_t* const end) {
    const simd::NumberTable table{entries_.data(), lower_, steps_};
    std::uint8_t last[simd::kBlockRead];
    const std::uint8_t* at = begin;
    const std::uint8_t* stopped = begin;  // where characters were last taken one by one
    std::ptrdiff_t one_by_one = 0;        // how many bytes then, besides the first character
    bool plain = true;                    // whether the last characters were no marks
    while (at < end) {
        // The last bytes are read from a copy that ends in white space.
        const std::size_t left = static_cast<std::size_t>(end - at);
        const std::uint8_t* from = at;
        const std::uint8_t* to = end;
        if (left < simd::kBlockRead) {
            std::memset(last, ' ', sizeof last);
            std::memcpy(last, at, left);
            from = last;
            to = last + sizeof last;
        }
        if (plain) {
            const simd::CharactersTaken taken = kernels_.number_characters(from, to, table, out_);
            at += std::min(taken.bytes, left);
            out_ += taken.characters;
            plain = taken.bytes != 0;
            if (plain) continue;
        }
        std::uint16_t code_points[64 + simd::kCodePointSlack];
        const simd::CharactersTaken taken = kernels_.code_points(from, code_points);
        const std::size_t written =
            write_marked({code_points, taken.characters}, base_at(begin, at), plain);
        if (written == taken.characters) {
            at += std::min(taken.bytes, left);
            if (written != 0) continue;
        } else {
            for (std::size_t i = 0; i < written; ++i) at += utf8_length(code_points[i]);
        }
        // Then one by one: a single character, or more if the kernels took few since the last time.
        one_by_one = at - stopped >= kMany ? 0 : std::min(2 * one_by_one + kFewest, kMost);
        const std::uint8_t* const stop = at + std::min(end - at, one_by_one + 1);
        if (const Outcome outcome = write_one_by_one(begin, at, stop, end);
            outcome != Outcome::done) {
            return outcome;
        }
        stopped = at;
    }
    return Outcome::done;
}

/// Writes the characters from `at` on that begin before `stop`, and moves `at` behind them.
CharacterNumbers::Outcome CharacterNumbers::write_one_by_one(const std::uint8_t* const begin,
                                                             const std::uint8_t*& at,
                                                             const std::uint8_t* const stop,
                                                             const std::uint8_t* const end) {
    while (at < stop) {
        if (*at < 0x80) {
            const Number entry = entries_[*at++];
            *out_ = entry;
            out_ += entry == kSpace ? 0 : 1;
            continue;
        }
        const unicode::Decoded decoded = unicode::decode_utf8(at, end);
        if (decoded.length == 0) return Outcome::not_utf8;
        const Number entry = entry_of(decoded.code_point);
        if (entry < simd::kLeastSpecial) {
            *out_++ = entry;
        } else if (entry != kSpace && !write_other(decoded.code_point, begin, at, end)) {
            return Outcome::refused;
        }
        at += decoded.length;
    }
    return Outcome::done;
}

/// Writes characters, marks among them, up to the first that write_other() must write, and returns
/// how many were written. `base` is the number of the character that a mark at the beginning
/// belongs to, or 0 if there is none. `plain` becomes whether no mark was written.
std::size_t CharacterNumbers::write_marked(std::span<const std::uint16_t> code_points, Number base,
                                           bool& plain) {
    const Number* const entries = entries_.data();
    const Number* const marked = marked_.data();
    const std::size_t bases = marked_.size() / kMarks;
    Number* out = out_;
    std::uint32_t before = base;
    std::uint32_t marks = 0;
    std::size_t i = 0;
    for (; i < code_points.size(); ++i) {
        std::uint32_t entry = entries[code_points[i]];
        const std::uint32_t space = entry == kSpace ? 1 : 0;
        if (entry >= kFirstMark + kMarks && space == 0) {
            if (entry != kJoiner || i + 1 == code_points.size() ||
                unicode::segment_properties_of(code_points[i + 1]).pictographic) {
                break;
            }
            entry = kFirstMark;
        }
        // Without branches: marks come too irregularly.
        const std::uint32_t mark = entry >= kFirstMark ? 1 - space : 0;
        const std::uint32_t row = before < bases ? before : 0;
        const std::uint32_t of_mark = (entry - kFirstMark) & (0U - mark);
        const std::uint32_t cluster = marked[kMarks * row + of_mark];
        const std::uint32_t number = mark != 0 ? cluster : space != 0 ? 0 : entry;
        if (mark > number) break;
        out -= mark;
        *out = static_cast<Number>(number);
        out += 1 - space;
        marks |= mark;
        before = number;
    }
    out_ = out;
    plain = marks == 0;
    return i;
}

/// The number of the character that a mark at `at` may belong to, or 0 if that is none.
CharacterNumbers::Number CharacterNumbers::base_at(const std::uint8_t* begin,
                                                   const std::uint8_t* at) const {
    return joins_before(begin, at) ? out_[-1] : Number{0};
}

/// Writes the character at `at`, which has no number. Returns false to refuse the document.
bool CharacterNumbers::write_other(char32_t code_point, const std::uint8_t* begin,
                                   const std::uint8_t* at, const std::uint8_t* end) {
    const std::uint8_t* const after = at + unicode::decode_utf8(at, end).length;
    const Number entry = entry_of(code_point);
    if (entry != kOther) return write_mark(code_point, entry, joins_before(begin, at), after, end);
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
                return write_mark(lowered, keep_mark(code_point), joins, after, end);
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

/// Writes a mark that has this entry. If the mark joins the character before it, the number of that
/// becomes the number of a cluster.
bool CharacterNumbers::write_mark(char32_t mark, Number entry, bool joins,
                                  const std::uint8_t* after, const std::uint8_t* end) {
    if (mark == kZeroWidthJoiner && after < end) {
        // A pictograph after it may belong to the one before.
        const unicode::Decoded next = unicode::decode_utf8(after, end);
        if (next.length != 0 && unicode::segment_properties_of(next.code_point).pictographic) {
            return false;
        }
    }
    const std::optional<Number> number = of_cluster(joins ? out_[-1] : kNoBase, mark);
    if (!number) return false;
    if (joins) {
        const std::size_t base = *--out_;
        const std::size_t column = entry == kJoiner ? 0 : entry - kFirstMark;
        if (kMarks * base < marked_.size() && column < kMarks)
            marked_[kMarks * base + column] = *number;
    }
    *out_++ = *number;
    return true;
}

/// Makes `number`, or what stands for one, the entry of a character.
void CharacterNumbers::keep(char32_t code_point, Number number) {
    if (code_point < 0x800) {
        using simd::ByteSteps;
        const bool told = number < simd::kLeastSpecial;
        steps_.set(code_point, told               ? ByteSteps::kOneNumber | number
                               : number == kSpace ? ByteSteps::kNothing
                                                  : ByteSteps::kUnknown);
    }
    if (code_point < kBeyond) {
        entries_[code_point] = number;
        return;
    }
    std::uint32_t& page = pages_[(code_point - kBeyond) / kPage];
    if (page == 0) {
        page = static_cast<std::uint32_t>(entries_beyond_.size());
        entries_beyond_.resize(entries_beyond_.size() + kPage, kOther);
    }
    entries_beyond_[page + code_point % kPage] = number;
}

/// Makes an entry for a mark, unless `code_point` is 0, and returns the entry.
CharacterNumbers::Number CharacterNumbers::keep_mark(char32_t code_point) {
    if (code_point == 0) return kMark;
    if (marked_.size() == kMarks) marked_.resize(kBases * kMarks);
    Number entry = kMark;
    if (code_point == kZeroWidthJoiner) {
        entry = kJoiner;
    } else if (next_mark_ < kFirstMark + kMarks) {
        entry = next_mark_++;
    }
    keep(code_point, entry);
    return entry;
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
        const std::optional<Number> fresh = give(std::move(written), mark < 0x3100);
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
