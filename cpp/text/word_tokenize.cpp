#include "text/word_tokenize.hpp"

#include <array>
#include <cstring>

#include "text/lower.hpp"
#include "unicode/utf8.hpp"

namespace dsir::text {
namespace {

/// What a byte of the lower-cased text can begin.
enum class Byte : std::uint8_t {
    word,        ///< ASCII of \w
    space,       ///< ASCII of \s
    early,       ///< always a token of its own, by P5 and P8
    late,        ///< the same, by rules after P9: P10 and B
    other,       ///< no rule mentions it
    quote,       ///< "
    apostrophe,  ///< '
    backtick,    ///< `
    colon,       ///< : and ,
    dot,         ///< .
    dash,        ///< -
    multi,       ///< not ASCII
};

constexpr std::array<Byte, 256> make_bytes() {
    std::array<Byte, 256> bytes{};
    for (unsigned c = 0; c < 256; ++c) bytes[c] = c < 0x80 ? Byte::other : Byte::multi;
    for (unsigned c = '0'; c <= '9'; ++c) bytes[c] = Byte::word;
    for (unsigned c = 'a'; c <= 'z'; ++c) bytes[c] = Byte::word;
    bytes['_'] = Byte::word;
    for (unsigned c = 0x09; c <= 0x0D; ++c) bytes[c] = Byte::space;
    for (unsigned c = 0x1C; c <= 0x20; ++c) bytes[c] = Byte::space;
    for (const unsigned char c : {';', '@', '#', '$', '%', '&', '?', '!'}) bytes[c] = Byte::early;
    for (const unsigned char c : {'*', '[', ']', '(', ')', '{', '}', '<', '>'}) {
        bytes[c] = Byte::late;
    }
    bytes['"'] = Byte::quote;
    bytes['\''] = Byte::apostrophe;
    bytes['`'] = Byte::backtick;
    bytes[':'] = bytes[','] = Byte::colon;
    bytes['.'] = Byte::dot;
    bytes['-'] = Byte::dash;
    return bytes;
}

constexpr std::array<Byte, 256> kBytes = make_bytes();

/// « “ ‘ „ of S1.
bool is_opening(char32_t c) {
    return c == 0xAB || c == 0x201C || c == 0x2018 || c == 0x201E;
}

/// » ” ’ of E1.
bool is_closing(char32_t c) {
    return c == 0xBB || c == 0x201D || c == 0x2019;
}

/// The dashes of P6.
bool is_long_dash(char32_t c) {
    return c >= 0x2012 && c <= 0x2015;
}

unicode::Kind kind_of(char32_t c) {
    return unicode::Kind{unicode::properties_of(c).kind};
}

// The buffer holds, before the document, what quotation marks become.
constexpr std::string_view kQuotes = "``''";

}  // namespace

WordTokenize::WordTokenize(std::string_view document, TokenBuffer& buffer) : buffer_(buffer) {
    buffer_.clear();
    buffer_.reserve(kQuotes.size() + lower_room(document.size()) + 1,
                    kStretchBytes + 2 + FieldParts::kMost);
    std::uint8_t* const bytes = buffer_.bytes.get();
    std::memcpy(bytes, kQuotes.data(), kQuotes.size());
    std::uint8_t* const lowered = bytes + kQuotes.size();
    const auto length = lower(document, lowered);
    valid_ = length.has_value();
    begin_ = at_ = lowered;
    end_ = lowered + length.value_or(0);
    lowered[end_ - begin_] = ' ';  // Then the end is a boundary like any other.
    buffer_.bytes_size = static_cast<std::size_t>(end_ + 1 - bytes);
    final_dot_ = find_final_dot();
}

bool WordTokenize::next() {
    buffer_.starts_size = buffer_.ends_size = 0;
    while (buffer_.size() < kStretchBytes) {
        if (parts_.left()) {
            parts_.append_next(buffer_);
        } else if (at_ < end_) {
            step();
        } else {
            break;
        }
    }
    return buffer_.size() != 0;
}

void WordTokenize::emit(const std::uint8_t* start, const std::uint8_t* end) {
    const std::uint8_t* const bytes = buffer_.bytes.get();
    buffer_.starts[buffer_.starts_size++] = static_cast<std::uint32_t>(start - bytes);
    buffer_.ends[buffer_.ends_size++] = static_cast<std::uint32_t>(end - bytes);
}

/// Takes what is at `at_` when no field is open: a field, or something between fields.
void WordTokenize::step() {
    if (kBytes[*at_] == Byte::word) return take_field(at_ + 1);
    if (*at_ == ' ') {
        ++at_;
        return;
    }
    const Mark mark = look(at_);
    const std::uint8_t* const behind = at_ + mark.length;
    const std::uint8_t* const quotes = buffer_.bytes.get();
    switch (mark.what) {
        case What::field:
            return take_field(behind);
        case What::space:
            break;
        case What::token:
            emit(at_, behind);
            break;
        case What::opening:
            emit(quotes, quotes + 2);
            break;
        case What::closing:
            emit(quotes + 2, quotes + 4);
            break;
        case What::pair:
            emit(at_, at_ + 1);
            ++at_;
            // P3: the second one is a token as well if it ends the text or the text's last line.
            if (behind == end_ || (behind + 1 == end_ && *behind == '\n')) {
                emit(at_, behind);
                break;
            }
            return take_field(behind);
    }
    at_ = behind;
}

/// Takes the field that begins at `at_`. The part up to `from` is known to belong to it.
void WordTokenize::take_field(const std::uint8_t* from) {
    const std::uint8_t* const start = at_;
    const std::uint8_t* at = from;
    bool plain = kBytes[*start] == Byte::word;  // the field has only word characters of ASCII
    for (;;) {
        while (kBytes[*at] == Byte::word) ++at;
        if (kBytes[*at] <= Byte::late) break;
        const Mark mark = look(at);
        if (mark.what != What::field) break;
        at += mark.length;
        plain = false;
    }
    at_ = at;
    if (!plain) {
        parts_.start(start, at);
        return;
    }
    const auto length = static_cast<std::size_t>(at - start);
    const unsigned cut = contraction_cut(start, length, true);
    if (cut == 0) return emit(start, at);
    emit(start, start + cut);
    emit(start + cut, at);
}

/// What is at `at` by all rules before the last ones.
WordTokenize::Mark WordTokenize::look(const std::uint8_t* at) const {
    switch (kBytes[*at]) {
        case Byte::word:
        case Byte::other:
            return {What::field, 1};
        case Byte::space:
            return {What::space, 1};
        case Byte::early:
        case Byte::late:
            return {What::token, 1};
        case Byte::quote:
            // S2 and S4, otherwise E3.
            return {at == begin_ || opener_before(at) ? What::opening : What::closing, 1};
        case Byte::apostrophe:
            return look_at_apostrophe(at);
        case Byte::backtick:
            // S1 puts spaces around a run, S3 around each pair in the run.
            return {What::token, at[1] == '`' ? std::size_t{2} : std::size_t{1}};
        case Byte::colon:
            return look_at_colon(at);
        case Byte::dot:
            return look_at_dot(at);
        case Byte::dash:
            // D puts spaces around each pair.
            return at[1] == '-' ? Mark{What::token, 2} : Mark{What::field, 1};
        case Byte::multi:
            break;
    }
    const unicode::Decoded decoded = unicode::decode_utf8(at, end_);
    const char32_t c = decoded.code_point;
    if (is_opening(c) || is_closing(c) || is_long_dash(c)) return {What::token, decoded.length};
    return {kind_of(c) == unicode::Kind::space ? What::space : What::field, decoded.length};
}

/// A run of apostrophes falls into pairs from the left, because all rules take pairs: S4 takes the
/// first pair, E2 takes all others. The caller therefore steps through a run by two. P9 makes a
/// token of an apostrophe that is left over if a space is after it by then.
WordTokenize::Mark WordTokenize::look_at_apostrophe(const std::uint8_t* at) const {
    if (at[1] == '\'') return {opener_before(at) ? What::opening : What::closing, 2};
    return {space_behind_by_p9(at + 1) ? What::token : What::field, 1};
}

/// Whether a space is between an apostrophe and `at` when P9 is applied.
bool WordTokenize::space_behind_by_p9(const std::uint8_t* at) const {
    if (at == end_) return false;
    switch (kBytes[*at]) {
        case Byte::space:
            return *at == ' ';
        case Byte::early:
        case Byte::backtick:
            return true;
        case Byte::colon:
            return look_at_colon(at).what != What::field;
        case Byte::dot:
            return look_at_dot(at).what != What::field;
        case Byte::word:
        case Byte::multi:
            break;
        default:
            return false;  // Only later rules apply, or none.
    }
    const unicode::Decoded next =
        *at < 0x80 ? unicode::Decoded{*at, 1} : unicode::decode_utf8(at, end_);
    const char32_t c = next.code_point;
    if (is_opening(c) || is_long_dash(c)) return true;
    // S5: a word of one letter, except m t s d n.
    if (kind_of(c) != unicode::Kind::word) return false;
    if (c == 'm' || c == 't' || c == 's' || c == 0x17F || c == 'd' || c == 'n') return false;
    const std::uint8_t* const behind = at + next.length;
    if (*behind < 0x80) return kBytes[*behind] != Byte::word;
    return kind_of(unicode::decode_utf8(behind, end_).code_point) != unicode::Kind::word;
}

/// P2 takes a colon or comma together with the next character, unless that is a digit, and puts
/// spaces around the first of the two. A second colon is thereby skipped. P3 does the same at the
/// end of the text.
WordTokenize::Mark WordTokenize::look_at_colon(const std::uint8_t* at) const {
    const std::uint8_t* const behind = at + 1;
    switch (kBytes[*behind]) {
        case Byte::colon:
            return {What::pair, 2};
        case Byte::word:
            return {*behind <= '9' ? What::field : What::token,
                    1};  // In ASCII the digits come first.
        case Byte::multi: {
            const char32_t c = unicode::decode_utf8(behind, end_).code_point;
            return {unicode::properties_of(c).decimal != 0 ? What::field : What::token, 1};
        }
        default:
            return {What::token, 1};  // This includes the space after the end: P3.
    }
}

/// P4 puts spaces around runs of two or more dots, P1 around the final period.
WordTokenize::Mark WordTokenize::look_at_dot(const std::uint8_t* at) const {
    std::size_t length = 1;
    while (at[length] == '.') ++length;
    return {length > 1 || at == final_dot_ ? What::token : What::field, length};
}

/// Whether S4 makes quotes at `at` an opening mark: after a space or one of ( [ { <. The spaces
/// that S1 and S3 put after opening marks count as well.
bool WordTokenize::opener_before(const std::uint8_t* at) const {
    if (at == begin_) return false;
    switch (at[-1]) {
        case ' ':
        case '(':
        case '[':
        case '{':
        case '<':
        case '`':
            return true;
        case '"':
            return at - 1 == begin_;  // S2 has made `` of it.
        default:
            return at[-1] >= 0x80 && is_opening(unicode::decode_utf8_before(begin_, at).code_point);
    }
}

/// P1: finds the last period of the text. A character other than a period must be before it, and
/// after it only closing brackets, closing quotes and spaces, and then white space of any kind.
/// Quotes that S4 made opening marks do not count as closing ones.
const std::uint8_t* WordTokenize::find_final_dot() const {
    const std::uint8_t* at = end_;
    const auto before = [this](const std::uint8_t* here) {
        return here[-1] < 0x80 ? unicode::Decoded{here[-1], 1}
                               : unicode::decode_utf8_before(begin_, here);
    };
    while (at > begin_) {
        const unicode::Decoded last = before(at);
        if (kind_of(last.code_point) != unicode::Kind::space) break;
        at -= last.length;
    }
    while (at > begin_) {
        const unicode::Decoded last = before(at);
        at -= last.length;
        switch (last.code_point) {
            case '.':
                return at > begin_ && at[-1] != '.' ? at : nullptr;
            case '"':
                if (opener_before(at)) return nullptr;
                break;
            case '\'':
                if (at[1] == '\'' && opener_before(at)) return nullptr;
                break;
            case ' ':
            case ']':
            case ')':
            case '}':
            case '>':
                break;
            default:
                if (!is_closing(last.code_point)) return nullptr;
        }
    }
    return nullptr;
}

}  // namespace dsir::text
