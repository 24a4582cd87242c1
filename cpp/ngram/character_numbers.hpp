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

#include "simd/byte_steps.hpp"
#include "simd/code_points.hpp"
#include "text/tokenizers.hpp"

namespace dsir::ngram {

/// Turns documents into the numbers of their characters: the tokens of "chars" or "codepoints". A
/// character gets a number when it is first met. The number stands for the character in lower case,
/// if documents are lower-cased, so no lower-cased text is made. Not thread-safe.
class CharacterNumbers {
  public:
    using Number = std::uint16_t;

    /// Characters of ASCII are their own numbers. The other numbers below this are for the first
    /// characters below U+3100: the letters of an alphabet or two, or kana.
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
    Outcome write_one_by_one(const std::uint8_t* begin, const std::uint8_t*& at,
                             const std::uint8_t* stop, const std::uint8_t* end);
    std::size_t write_marked(std::span<const std::uint16_t> code_points, Number base, bool& plain);
    Number base_at(const std::uint8_t* begin, const std::uint8_t* at) const;
    bool write_other(char32_t code_point, const std::uint8_t* begin, const std::uint8_t* at,
                     const std::uint8_t* end);
    bool write_lowered(char32_t lowered, char32_t code_point, bool joins, const std::uint8_t* after,
                       const std::uint8_t* end);
    bool write_mark(char32_t mark, Number entry, bool joins, const std::uint8_t* after,
                    const std::uint8_t* end);
    bool joins_before(const std::uint8_t* begin, const std::uint8_t* at) const;
    void keep(char32_t code_point, Number number);
    Number keep_mark(char32_t code_point);
    Number entry_of(char32_t code_point) const {
        if (code_point < kBeyond) return entries_[code_point];
        return entries_beyond_[pages_[(code_point - kBeyond) / kPage] + code_point % kPage];
    }
    std::optional<Number> of_character(char32_t code_point);
    std::optional<Number> of_cluster(std::uint32_t base, char32_t mark);
    std::optional<Number> give(std::string written, bool small);

    // What entries hold in place of a number. The first kMarks are of marks, which belong to the
    // character before them.
    static constexpr Number kFirstMark = simd::kLeastSpecial;
    static constexpr Number kMarks = 64;
    static constexpr Number kMark = 0xFFFC;    ///< of one more mark
    static constexpr Number kJoiner = 0xFFFD;  ///< of U+200D, a mark before all but pictographs
    static constexpr Number kOther = 0xFFFE;   ///< not met, or not told by the character alone
    static constexpr Number kSpace = simd::kSpaceEntry;

    static constexpr char32_t kBeyond = 0x10000;
    static constexpr std::size_t kPage = 128;

    /// So many numbers have a row in `marked_`.
    static constexpr std::size_t kBases = 1024;

    bool clusters_;
    bool lower_;
    const simd::CodePointKernels& kernels_;
    std::vector<Number> entries_;  ///< by the code point, below kBeyond
    simd::ByteSteps steps_;        ///< the same, for the scalar kernel
    /// For each 128 code points from kBeyond on, where their entries begin in `entries_beyond_`; 0
    /// for those not met.
    std::vector<std::uint32_t> pages_;
    std::vector<Number> entries_beyond_;
    /// At [kMarks * base + mark] the number of a cluster by that of the cluster before the mark, or
    /// 0 if it is not met.
    std::vector<Number> marked_;
    Number next_mark_ = kFirstMark + 1;                ///< the first is that of the joiner
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
