#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizers.hpp"

namespace dsir::ngram {

/// Turns documents into the numbers of their characters: the tokens of "chars" or "codepoints". A
/// character gets a number when it is first met. The number stands for the character in lower case,
/// if documents are lower-cased, so no lower-cased text is made. Not thread-safe.
class CharacterNumbers {
  public:
    using Number = std::uint16_t;

    /// Characters of ASCII are their own numbers. The other numbers below this are for the first
    /// characters below U+3000: the letters of an alphabet or two.
    static constexpr Number kSmall = 256;

    /// Takes the kinds chars and codepoints, without a kernel.
    explicit CharacterNumbers(const text::Cutting& cutting);

    struct Numbered {
        std::span<const Number> numbers;  ///< valid until the next document
        bool valid;                       ///< whether the document is UTF-8
    };

    /// The numbers of a document's tokens, or nothing if it has clusters that take more rules than
    /// marks do (jamo, flags, joined pictographs), or if there are no numbers left. Memory: two
    /// bytes for each byte of the document.
    std::optional<Numbered> number(std::string_view document);

    /// How many numbers there may be: every number that was given is below this.
    std::size_t size() const { return hashes_.size(); }

    /// The hash of the token that has a number.
    const std::uint64_t* hashes() const { return hashes_.data(); }

  private:
    enum class Outcome : std::uint8_t { done, refused, not_utf8 };

    Outcome write(const std::uint8_t* begin, const std::uint8_t* end);
    const std::uint8_t* step_eights(const std::uint8_t* at, const std::uint8_t* end,
                                    Number*& out) const;
    const std::uint8_t* take_threes(const std::uint8_t* at, const std::uint8_t* end,
                                    Number*& out) const;
    bool write_other(char32_t code_point, const std::uint8_t* begin, const std::uint8_t* at,
                     const std::uint8_t* end);
    bool write_lowered(char32_t lowered, char32_t code_point, bool joins, const std::uint8_t* after,
                       const std::uint8_t* end);
    bool write_mark(char32_t mark, bool joins, const std::uint8_t* after, const std::uint8_t* end);
    bool joins_before(const std::uint8_t* begin, const std::uint8_t* at) const;
    void keep(char32_t code_point, Number number);
    Number entry_of(char32_t code_point) const {
        return entries_[pages_[code_point / kPage] + code_point % kPage];
    }
    std::optional<Number> of_character(char32_t code_point);
    std::optional<Number> of_cluster(std::uint32_t base, char32_t mark);
    std::optional<Number> give(std::string written, bool small);

    // What entries hold in place of a number.
    static constexpr Number kOther = 0;  ///< not met, or not told by the character alone
    static constexpr Number kSpace = 1;
    static constexpr Number kMark = 2;       ///< belongs to the character before it
    static constexpr Number kLeastUsed = 3;  ///< from here on, entries are numbers

    static constexpr std::size_t kPage = 128;

    /// What a byte adds: nothing, or kOneNumber and a number in the lower half. kNoStep says that
    /// the byte alone, or with the byte before it, does not tell.
    using Step = std::uint32_t;
    static constexpr Step kOneNumber = Step{1} << 16;
    static constexpr Step kNoStep = Step{2} << 16;
    static constexpr std::size_t kRows = 1 + 0xE0 - 0xC2;

    bool clusters_;
    bool lower_;
    /// At [rows_[the byte before] + byte]. Row 0 is for bytes that begin a character; the others
    /// are for the second bytes of characters of two.
    std::vector<Step> steps_;
    std::array<std::uint16_t, 256> rows_{};
    /// For each 128 code points, where their entries begin in `entries_`; 0 for those not met.
    std::vector<std::uint32_t> pages_;
    std::vector<Number> entries_;
    std::unordered_map<std::uint64_t, Number> given_;  ///< of lower-cased characters, of clusters
    struct Cluster {
        std::uint64_t key;
        Number number;
    };
    std::vector<Cluster> lately_;  ///< some entries of `given_`, by a hash of the key
    std::vector<std::string> written_;
    std::vector<std::uint64_t> hashes_;
    std::size_t next_small_ = 128;
    std::vector<Number> numbers_;
    Number* out_ = nullptr;  ///< where the next number goes in `numbers_`
};

}  // namespace dsir::ngram
