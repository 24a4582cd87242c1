#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "text/contractions.hpp"
#include "text/token_buffer.hpp"

namespace dsir::text {

/// NLTK's words of one document, taken as one sentence: the tokens of
/// NLTKWordTokenizer().tokenize(text.lower()) (nltk/tokenize/destructive.py of NLTK 3.9.3
/// and 3.9.4), for all of Unicode (version: unicode::kUnicodeVersion).
///
/// NLTK substitutes over the whole text 33 times: nearly every rule puts spaces around something,
/// and the text is split at white space in the end. What a rule sees of the rules before it are
/// spaces beside characters that are known, so each of them comes down to a question about the
/// lower-cased text around one place. One pass asks these questions and cuts the text into fields
/// (what is between spaces before the last rules, those on "'s", "n't" and "cannot"); the last
/// rules look at one field at a time (contractions.hpp). The comments name NLTK's rules as S1 to S5
/// (STARTING_QUOTES), P1 to P10 (PUNCTUATION), B (PARENS_BRACKETS), D (DOUBLE_DASHES), E1 to E6
/// (ENDING_QUOTES), C2 and C3 (CONTRACTIONS).
///
/// One rule never changes a token: P7, the final period again, which can match only where P1 did
/// and then moves nothing but spaces.
///
/// The interface is that of WordPunct; so is the bound on the tokens of a stretch. The time is
/// linear in the document. Memory: one and a half times the document, lower-cased in the buffer.
class WordTokenize {
  public:
    /// Starts on a document. `buffer` must outlive the tokeniser.
    WordTokenize(std::string_view document, TokenBuffer& buffer);

    /// Fills the buffer with the next tokens; false when there are none left.
    bool next();

    /// Whether the document is UTF-8.
    bool valid() const { return valid_; }

  private:
    enum class What : std::uint8_t {
        field,    ///< is part of a field
        space,    ///< white space
        token,    ///< a token of its own
        opening,  ///< a quotation mark that becomes ``
        closing,  ///< a quotation mark that becomes ''
        pair,     ///< of colons or commas: the first is a token, the second begins a field
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
    // The lower-cased document, in the buffer, with a space behind it.
    const std::uint8_t* begin_ = nullptr;
    const std::uint8_t* at_ = nullptr;
    const std::uint8_t* end_ = nullptr;
    const std::uint8_t* final_dot_ = nullptr;  ///< the period that P1 cuts off, if any
    FieldParts parts_;                         ///< of a field that is not all out yet
    bool valid_ = true;
};

}  // namespace dsir::text
