#pragma once

#include <cstddef>
#include <cstdint>

#include "text/token_buffer.hpp"

namespace dsir::text {

/// Where NLTK's rules C2 cut a lower-cased word (cannot, gimme, gonna, gotta, lemme; wanna where a
/// space follows): the bytes of its first half, 0 where they do not cut it.
unsigned contraction_cut(const std::uint8_t* word, std::size_t length, bool before_space);

/// The tokens of one field, that is of lower-cased text between spaces, after NLTK's last rules:
///
/// E5  's 'm 'd ' at the end of the field are cut off, unless they are all of it;
/// E6  then 'll 're 've n't, likewise;
/// C2  can|not d|'ye gim|me gon|na got|ta lem|me more|'n wan|na are cut out where they stand
///     between word boundaries;
/// C3  't|is and 't|was are cut off the beginning of what is left, where a word ends behind them.
///
/// The first letters of (?i) are Python's: ı is an i, and ſ an s; other capitals there are none.
class FieldParts {
  public:
    /// Tokens that one append_next() makes at most.
    static constexpr std::size_t kMost = 9;

    /// Starts on a field. No two apostrophes stand side by side in it.
    void start(const std::uint8_t* begin, const std::uint8_t* end);

    /// Whether there are tokens left.
    bool left() const { return at_ != end_; }

    /// Appends the next tokens to the buffer, which holds the field in its bytes.
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
    const std::uint8_t* clitic_ = nullptr;  ///< where E6's begins; `ending_` where there is none
    const std::uint8_t* ending_ = nullptr;  ///< where E5's begins; `end_` where there is none
    const std::uint8_t* end_ = nullptr;
};

}  // namespace dsir::text
