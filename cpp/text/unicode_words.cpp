#include "text/unicode_words.hpp"

#include <array>
#include <bit>

#include "unicode/utf8.hpp"

namespace dsir::text {
namespace {

using unicode::WordBreak;

/// The characters of ASCII that join words: WB6, WB7, WB11 and WB12 ask what is beside them.
constexpr std::array<WordBreak, 128> make_mids() {
    std::array<WordBreak, 128> mids{};
    mids[':'] = WordBreak::mid_letter;
    mids['.'] = WordBreak::mid_both;
    mids['\''] = WordBreak::single_quote;
    mids['"'] = WordBreak::double_quote;
    mids[','] = mids[';'] = WordBreak::mid_number;
    return mids;
}

constexpr std::array<WordBreak, 128> kMids = make_mids();

bool is_letter(WordBreak one) {
    return one == WordBreak::letter || one == WordBreak::hebrew;
}

/// Whether a segment with such a character is a word.
bool is_of_words(WordBreak one) {
    return one >= WordBreak::other_word && one <= WordBreak::connector;
}

bool extends(WordBreak one) {
    return one == WordBreak::extend || one == WordBreak::joiner;
}

WordBreak class_of(const unicode::Decoded& decoded) {
    return unicode::segment_properties_of(decoded.code_point).word;
}

}  // namespace

/// What is known of the bytes of a block.
struct WordCut::Marks {
    std::uint64_t word;  ///< of segments with a character of a word
    std::uint64_t space;
    std::uint64_t single;     ///< of characters to which no other is joined, except marks
    std::uint64_t joined;     ///< first bytes of characters that are joined to the one before
    std::uint64_t connector;  ///< of connectors beyond ASCII, and of marks
    std::uint64_t no_letter;  ///< of characters known to be neither letters, digits nor marks
};

WordCut::WordCut(std::string_view text)
    : begin_(reinterpret_cast<const std::uint8_t*>(text.data())),
      at_(begin_),
      end_(begin_ + text.size()),
      kernels_(simd::cut_kernels(simd::active_level())) {}

void WordCut::take(Places& places) {
    const TextBlock block(kernels_, at_, end_);
    const std::uint64_t inside = low_bits(block.length);
    Marks marks{
        block.found.classes.word | block.found.known.word, block.found.classes.space, 0, 0, 0, 0};
    // The kernel knows Chinese characters and kana, which have three bytes, and Latin letters.
    const std::uint64_t three = block.found.known.word & block.found.three_or_more;
    marks.single = three | (three << 1) | (three << 2);
    marks.no_letter = (~(marks.word | block.found.classes.non_ascii) | marks.single |
                       block.found.known.punctuation) &
                      inside;
    look_up(block, marks);

    const std::uint64_t other = ~(marks.word | marks.space);
    const std::uint64_t word_before = (marks.word << 1) | std::uint64_t{word_open_};
    const std::uint64_t other_before = (other << 1) | std::uint64_t{other_open_};
    const std::uint64_t single_before = (marks.single << 1) | std::uint64_t{single_};
    // Between segments of words there is a boundary only beside a single character.
    std::uint64_t between = block.leads() & marks.word & word_before &
                            (marks.single | single_before) & ~marks.joined & inside;
    if (between != 0) {
        // Few segments have a connector or a mark beside the boundary.
        const std::uint64_t beside = block.found.classes.word | marks.connector;
        const std::uint64_t candidates =
            between & (beside | (beside << 1) | std::uint64_t{beside_});
        if (candidates != 0) {
            join_connectors(candidates, marks);
            between &= ~marks.joined;
        }
    }
    const std::uint64_t change =
        ((marks.word ^ word_before) | (other ^ other_before)) & ~marks.joined & inside;
    places.append(kernels_, (change & ~marks.space) | between,
                  (change & (word_before | other_before)) | between,
                  static_cast<std::uint32_t>(at_ - begin_));
    const std::size_t last = block.length - 1;
    word_open_ = ((marks.word >> last) & 1) != 0;
    other_open_ = ((other >> last) & 1) != 0;
    single_ = ((marks.single >> last) & 1) != 0;
    no_letter_ = ((marks.no_letter >> last) & 1) != 0;
    beside_ = (((block.found.classes.word | marks.connector) >> last) & 1) != 0;
    at_ += block.length;
    if (at_ == end_ && (word_open_ || other_open_)) {
        places.ends[places.ends_size++] = static_cast<std::uint32_t>(end_ - begin_);
    }
}

/// Looks up the characters that the kernel does not know, and those of ASCII that may join words,
/// from left to right.
void WordCut::look_up(const TextBlock& block, Marks& marks) const {
    const std::uint64_t inside = low_bits(block.length);
    const std::uint64_t no_letter_before = (marks.no_letter << 1) | std::uint64_t{no_letter_};
    // The punctuation that the kernel knows has characters that may join words, such as U+FF07. It
    // joins nothing unless a letter or a digit is before it.
    std::uint64_t left = block.found.two_or_more & ~block.found.known.word & inside &
                         ~(block.found.known.punctuation & no_letter_before);
    // The same is true of ASCII, and unless one is after it: WB7a alone asks for none, and its
    // letters are not ASCII.
    const std::uint64_t none_after = (marks.no_letter >> 1) & (~block.found.classes.non_ascii << 1);
    std::uint64_t ascii = ~(marks.word | marks.space | block.found.classes.non_ascii) & inside &
                          ~(no_letter_before | none_after);
    for (; ascii != 0; ascii &= ascii - 1) {
        const int i = std::countr_zero(ascii);
        if (kMids[at_[i]] != WordBreak::other) left |= std::uint64_t{1} << i;
    }
    for (; left != 0; left &= left - 1) {
        const auto i = static_cast<std::size_t>(std::countr_zero(left));
        if (at_[i] < 0x80) {
            look_up_mid(i, 1, kMids[at_[i]], marks);
            continue;
        }
        const unicode::Decoded decoded = unicode::decode_utf8(at_ + i, end_);
        const unicode::SegmentProperties& own = unicode::segment_properties_of(decoded.code_point);
        const std::uint64_t here = low_bits(decoded.length) << i;
        if (own.word == WordBreak::letter && !own.pictographic) {
            marks.word |= here;
            continue;
        }
        const bool word_before = i == 0 ? word_open_ : ((marks.word >> (i - 1)) & 1) != 0;
        const bool space_before =
            i == 0 ? !word_open_ && !other_open_ : ((marks.space >> (i - 1)) & 1) != 0;
        if (own.pictographic && !space_before &&
            class_of(unicode::decode_utf8_before(begin_, at_ + i)) == WordBreak::joiner) {
            // WB3c. Whatever was in the segment, the pictograph belongs to it.
            marks.joined |= std::uint64_t{1} << i;
            if (word_before || is_of_words(own.word)) marks.word |= here;
            if (!is_letter(own.word)) marks.single |= here;
            continue;
        }
        switch (own.word) {
            case WordBreak::space:
                marks.space |= here;
                break;
            case WordBreak::other_word:
            case WordBreak::katakana:
                marks.single |= here;
                marks.word |= here;
                break;
            case WordBreak::connector:
                marks.connector |= here;
                marks.word |= here;
                break;
            case WordBreak::letter:
            case WordBreak::hebrew:
            case WordBreak::number:
                marks.word |= here;
                break;
            case WordBreak::extend:
            case WordBreak::joiner: {
                // WB4. Not after white space, where the mark is a character like others.
                const bool single_before = i == 0 ? single_ : ((marks.single >> (i - 1)) & 1) != 0;
                if (word_before) marks.word |= here;
                if (single_before) marks.single |= here;
                marks.joined |= std::uint64_t{!space_before} << i;
                marks.connector |= here;
                break;
            }
            case WordBreak::other:
                break;
            default:
                look_up_mid(i, decoded.length, own.word, marks);
        }
    }
}

/// Joins a character of WB6, WB7 and WB11, WB12 to what is before it, if what is before it and
/// after it asks for that.
void WordCut::look_up_mid(std::size_t at, std::size_t length, WordBreak mid, Marks& marks) const {
    const WordBreak before = class_before(at_ + at);
    if (!is_letter(before) && before != WordBreak::number) return;
    const WordBreak after = class_after(at_ + at + length);
    const bool of_letters = mid == WordBreak::mid_letter || mid == WordBreak::mid_both ||
                            mid == WordBreak::single_quote;
    const bool of_numbers = mid == WordBreak::mid_number || mid == WordBreak::mid_both ||
                            mid == WordBreak::single_quote;
    const bool goes_on =
        (of_letters && is_letter(before) && is_letter(after)) ||
        (of_numbers && before == WordBreak::number && after == before) ||
        (mid == WordBreak::double_quote && before == WordBreak::hebrew && after == before);
    const bool ends = before == WordBreak::hebrew && mid == WordBreak::single_quote;  // WB7a
    if (!goes_on && !ends) return;
    const std::uint64_t here = low_bits(length) << at;
    marks.word |= here;
    if (!goes_on) marks.single |= here;
    marks.joined |= std::uint64_t{1} << at;
}

/// Joins connectors to katakana: WB13a and WB13b.
void WordCut::join_connectors(std::uint64_t candidates, Marks& marks) const {
    for (; candidates != 0; candidates &= candidates - 1) {
        const std::uint8_t* const here = at_ + std::countr_zero(candidates);
        const auto is_neither = [](std::uint8_t byte) { return byte < 0x80 && byte != '_'; };
        if (is_neither(here[0]) || is_neither(here[-1])) continue;
        const WordBreak own = class_of(unicode::decode_utf8(here, end_));
        if (own != WordBreak::connector && own != WordBreak::katakana) continue;
        const WordBreak before = class_before(here);
        if (before != own && (before == WordBreak::connector || before == WordBreak::katakana)) {
            marks.joined |= candidates & (~candidates + 1);
        }
    }
}

/// The class of the last character before `at` that extends none; `space` if there is none in the
/// piece.
WordBreak WordCut::class_before(const std::uint8_t* at) const {
    while (at > begin_) {
        const unicode::Decoded decoded = unicode::decode_utf8_before(begin_, at);
        const WordBreak own = class_of(decoded);
        if (!extends(own)) return own;
        at -= decoded.length;
    }
    return WordBreak::space;
}

/// The class of the first character from `at` on that extends none; `space` if there is none.
WordBreak WordCut::class_after(const std::uint8_t* at) const {
    while (at < end_) {
        const unicode::Decoded decoded = unicode::decode_utf8(at, end_);
        const WordBreak own = class_of(decoded);
        if (!extends(own)) return own;
        at += decoded.length;
    }
    return WordBreak::space;
}

}  // namespace dsir::text
