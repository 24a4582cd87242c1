#pragma once

#include <cstddef>
#include <cstdint>

#include "text/token_buffer.hpp"

namespace dsir::text {

/// How NLTK's rules C2 cut a lower-cased word (cannot, gimme, gonna, gotta, lemme, and wanna if a
/// space follows): the number of bytes of the word's first half, or 0 if no rule cuts the word.
unsigned contraction_cut(const std::uint8_t* word, std::size_t length, bool before_space);

/// Cuts one field, which is lower-cased text between spaces, into tokens by NLTK's last rules:
///
///     E5  's 'm 'd ' at the end of the field are cut off, unless they are the whole field;
///     E6  then 'll 're 've n't, in the same way;
///     C2  can|not d|'ye gim|me gon|na got|ta lem|me more|'n wan|na are cut wherever they are
///         between word boundaries;
///     C3  't|is and 't|was are cut off the beginning of what is left, if a word ends there.
///
/// (?i) in the rules is Python's: ı counts as an i, and ſ as an s. Lower-cased text has no other
/// letter of that kind.
class FieldParts {
  public:
    /// The most tokens that one append_next() makes.
    static constexpr std::size_t kMost = 9;

    /// Starts on a field, in which no two apostrophes may be side by side.
    void start(const std::uint8_t* begin, const std::uint8_t* end);

    /// Whether there are tokens left.
    bool left() const { return at_ != end_; }

    /// Appends the next tokens to the buffer. The field must lie in the buffer's bytes.
    void append_next(TokenBuffer& buffer);

  private:
    struct Contraction {
        const std::uint8_t* begin;
        const std::uint8_t* cut;
        const std::uint8_t* end;
    };

    Contraction find_contraction() const;
    void append_piece(const std::uint8_t* begin, const std::uint8_t* end, TokenBuffer& buffer);

    const std::uint8_t* at_ = nullptr;
    const std::uint8_t* clitic_ = nullptr;  ///< where E6's part begins; `ending_` if there is none
    const std::uint8_t* ending_ = nullptr;  ///< where E5's part begins; `end_` if there is none
    const std::uint8_t* end_ = nullptr;
};

}  // namespace dsir::text
