#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/cut_tokens.hpp"
#include "text/text_block.hpp"
#include "unicode/segment_tables.hpp"

namespace dsir::text {

/// Cuts a text into words by Unicode Standard Annex 29, section 4.1.
///
/// White space is cut out first, and each piece between is cut at the annex's word boundaries, with
/// two differences. Katakana is cut between characters, as the annex cuts Han, Hiragana, Thai, Lao,
/// Khmer and Myanmar (WB13 is left out). And characters that belong to no word are not cut apart: a
/// boundary counts only if a character of a word follows, or if there is one before it in its
/// segment. Characters of words are letters, digits and connectors such as the underscore.
class WordCut {
  public:
    /// The text must outlive this object.
    explicit WordCut(std::string_view text);

    void take(Places& places);
    bool done() const { return at_ == end_; }

  private:
    struct Marks;

    void look_up(const TextBlock& block, Marks& marks) const;
    void look_up_mid(std::size_t at, std::size_t length, unicode::WordBreak mid,
                     Marks& marks) const;
    void join_connectors(std::uint64_t candidates, Marks& marks) const;
    unicode::WordBreak class_before(const std::uint8_t* at) const;
    unicode::WordBreak class_after(const std::uint8_t* at) const;

    const std::uint8_t* begin_;
    const std::uint8_t* at_;
    const std::uint8_t* end_;
    const simd::CutKernels& kernels_;
    // Of the last byte:
    bool word_open_ = false;   ///< it belongs to a segment with a character of a word
    bool other_open_ = false;  ///< it belongs to another segment
    bool single_ = false;      ///< nothing is joined to it except marks
    bool no_letter_ = true;    ///< it is known to be of no letter, digit or mark
    bool beside_ = false;      ///< it may be of a connector or a mark
};

/// tokenizer="unicode".
using UnicodeWords = CutTokens<WordCut>;
using UnicodeWordSpans = CutSpans<WordCut>;

}  // namespace dsir::text
