#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/contractions.hpp"
#include "text/token_buffer.hpp"

namespace dsir::text {

/// The words that NLTK finds in one document, taken as one sentence: the tokens of
/// NLTKWordTokenizer().tokenize(text.lower()) (nltk/tokenize/destructive.py of NLTK 3.9.3 and
/// 3.9.4), for all of Unicode (version: unicode::kUnicodeVersion).
///
/// NLTK makes 33 substitutions over the whole text. Nearly every rule puts spaces around something,
/// and in the end the text is split at white space. All that a rule sees of earlier rules is spaces
/// beside known characters, so each rule comes down to a question about the lower-cased text around
/// one place. This class asks these questions in one pass and cuts the text into fields, which are
/// what lies between spaces before the last rules (those on "'s", "n't" and "cannot"). The last
/// rules look at one field at a time (contractions.hpp).
///
/// The comments call NLTK's rules S1 to S5 (STARTING_QUOTES), P1 to P10 (PUNCTUATION), B
/// (PARENS_BRACKETS), D (DOUBLE_DASHES), E1 to E6 (ENDING_QUOTES), C2 and C3 (CONTRACTIONS). One
/// rule never changes a token: P7 treats the final period again, can match only where P1 matched,
/// and then moves only spaces.
///
/// Used like WordPunct. The time is linear in the document. Memory: one and a half times the
/// document, which lies in the buffer in lower case.
class WordTokenize {
  public:
    /// Starts on a document of up to 2 GiB. `buffer` must outlive the tokenizer.
    WordTokenize(std::string_view document, TokenBuffer& buffer);

    /// Fills the buffer with the next tokens. Returns false when there are none left.
    bool next();

    /// Whether the document is UTF-8.
    bool valid() const { return valid_; }

  private:
    enum class What : std::uint8_t {
        field,    ///< part of a field
        space,    ///< white space
        token,    ///< a token of its own
        opening,  ///< a quotation mark that becomes ``
        closing,  ///< a quotation mark that becomes ''
        pair,     ///< two colons or commas: the first is a token, the second begins a field
    };
    struct Mark {
        What what;
        std::size_t length;  ///< in bytes
    };

    void step();
    void take_field(const std::uint8_t* from);
    Mark look(const std::uint8_t* at) const;
    Mark look_at_apostrophe(const std::uint8_t* at) const;
    Mark look_at_colon(const std::uint8_t* at) const;
    Mark look_at_dot(const std::uint8_t* at) const;
    bool space_behind_by_p9(const std::uint8_t* at) const;
    bool opener_before(const std::uint8_t* at) const;
    const std::uint8_t* find_final_dot() const;
    void emit(const std::uint8_t* start, const std::uint8_t* end);

    TokenBuffer& buffer_;
    // The lower-cased document, which lies in the buffer with a space after it.
    const std::uint8_t* begin_ = nullptr;
    const std::uint8_t* at_ = nullptr;
    const std::uint8_t* end_ = nullptr;
    const std::uint8_t* final_dot_ = nullptr;  ///< the period that P1 cuts off, if any
    FieldParts parts_;                         ///< the field of which some tokens are still to come
    bool valid_ = true;
};

}  // namespace dsir::text
