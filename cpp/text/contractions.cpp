#include "text/contractions.hpp"

#include <cstring>
#include <string_view>

#include "unicode/unicode_tables.hpp"
#include "unicode/utf8.hpp"

namespace dsir::text {
namespace {

using Bytes = const std::uint8_t*;

std::string_view view(Bytes begin, Bytes end) {
    return {reinterpret_cast<const char*>(begin), static_cast<std::size_t>(end - begin)};
}

/// The length of the word character at `at`, which is before `end`; 0 if the character is not one.
unsigned word_character(Bytes at, Bytes end) {
    if (*at >= 0x80) {
        const unicode::Decoded decoded = unicode::decode_utf8(at, end);
        return unicode::Kind{unicode::properties_of(decoded.code_point).kind} == unicode::Kind::word
                   ? decoded.length
                   : 0;
    }
    const bool word = (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_';
    return word ? 1 : 0;
}

Bytes end_of_word(Bytes at, Bytes end) {
    while (at < end) {
        const unsigned length = word_character(at, end);
        if (length == 0) break;
        at += length;
    }
    return at;
}

/// If [at, end) begins with `text`, returns the end of that; otherwise nullptr. ı may stand for i,
/// and ſ for s.
Bytes behind(Bytes at, Bytes end, std::string_view text) {
    constexpr std::string_view kDotlessI = "\xC4\xB1";
    constexpr std::string_view kLongS = "\xC5\xBF";
    for (const char c : text) {
        const std::string_view left = view(at, end);
        if (left.empty()) return nullptr;
        if (left[0] == c) {
            ++at;
        } else if ((c == 'i' && left.substr(0, 2) == kDotlessI) ||
                   (c == 's' && left.substr(0, 2) == kLongS)) {
            at += 2;
        } else {
            return nullptr;
        }
    }
    return at;
}

/// Whether the whole of [at, end) is `text`, by the same rule.
bool is(Bytes at, Bytes end, std::string_view text) {
    return behind(at, end, text) == end;
}

bool ends_word(Bytes at, Bytes end) {
    return at == end || word_character(at, end) == 0;
}

void append(TokenBuffer& buffer, Bytes begin, Bytes end) {
    const Bytes bytes = buffer.bytes.get();
    buffer.starts[buffer.starts_size++] = static_cast<std::uint32_t>(begin - bytes);
    buffer.ends[buffer.ends_size++] = static_cast<std::uint32_t>(end - bytes);
}

}  // namespace

unsigned contraction_cut(const std::uint8_t* word, std::size_t length, bool before_space) {
    if (length != 5 && length != 6) return 0;
    const std::string_view text = view(word, word + length);
    switch (text[0]) {
        case 'c':
            return text == "cannot" ? 3 : 0;
        case 'g':
            if (text == "gimme" || text == "gonna" || text == "gotta") return 3;
            return text == "g\xC4\xB1mme" ? 4 : 0;
        case 'l':
            return text == "lemme" ? 3 : 0;
        case 'w':
            return text == "wanna" && before_space ? 3 : 0;
        default:
            return 0;
    }
}

void FieldParts::start(const std::uint8_t* begin, const std::uint8_t* end) {
    at_ = begin;
    end_ = ending_ = end;
    // E5 and E6 ask for a character other than an apostrophe before the apostrophe. There is one
    // unless the field begins here, because no two apostrophes are side by side.
    if (end - begin > 2 && end[-2] == '\'' &&
        (end[-1] == 's' || end[-1] == 'm' || end[-1] == 'd')) {
        ending_ = end - 2;
    } else if (end - begin > 1 && end[-1] == '\'') {
        ending_ = end - 1;
    }
    clitic_ = ending_;
    if (ending_ - begin > 3) {
        const std::string_view last = view(ending_ - 3, ending_);
        if (last == "'ll" || last == "'re" || last == "'ve" ||
            (last == "n't" && ending_[-4] != '\'')) {
            clitic_ = ending_ - 3;
        }
    }
}

void FieldParts::append_next(TokenBuffer& buffer) {
    const Contraction found = find_contraction();
    append_piece(at_, found.begin, buffer);
    if (found.begin != found.end) {
        append(buffer, found.begin, found.cut);
        append(buffer, found.cut, found.end);
    }
    at_ = found.end;
    if (at_ != clitic_) return;
    if (clitic_ != ending_) append(buffer, clitic_, ending_);
    if (ending_ != end_) append(buffer, ending_, end_);
    at_ = end_;
}

/// The first match of C2 from `at_` on. If there is none, an empty match at the end.
FieldParts::Contraction FieldParts::find_contraction() const {
    const Bytes end = clitic_;
    for (Bytes at = at_; at < end;) {
        const Bytes word = at;
        at = end_of_word(word, end);
        if (at == word) {
            at += *at < 0x80 ? 1 : unicode::decode_utf8(at, end).length;
            continue;
        }
        const auto length = static_cast<std::size_t>(at - word);
        const unsigned cut = contraction_cut(word, length, at == end);
        if (cut != 0) return {word, word + cut, at};
        if (at == end || *at != '\'') continue;
        const Bytes second = end_of_word(at + 1, end);
        if ((is(word, at, "d") && is(at, second, "'ye")) ||
            (is(word, at, "more") && is(at, second, "'n"))) {
            return {word, at, second};
        }
    }
    return {end, end, end};
}

/// Appends what lies between two contractions of C2, by C3: first 't|is, then 't|was.
void FieldParts::append_piece(const std::uint8_t* begin, const std::uint8_t* end,
                              TokenBuffer& buffer) {
    for (const std::string_view word : {std::string_view("'tis"), std::string_view("'twas")}) {
        const Bytes after = behind(begin, end, word);
        if (after == nullptr || !ends_word(after, end)) continue;
        append(buffer, begin, begin + 2);
        append(buffer, begin + 2, after);
        begin = after;
    }
    if (begin != end) append(buffer, begin, end);
}

}  // namespace dsir::text
