#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fasttext/dictionary.hpp"

namespace dsir::fasttext {

/// Where fastText cuts words. A newline ends a line there; here it is a space, which is what
/// callers of fastText put in its place, because a text is one line.
inline constexpr std::array<bool, 256> kIsSpace = [] {
    std::array<bool, 256> is_space{};
    for (const unsigned char c : {' ', '\n', '\r', '\t', '\v', '\f', '\0'}) is_space[c] = true;
    return is_space;
}();

/// Goes through the features of texts in fastText's order. Use one per thread.
class Line {
  public:
    explicit Line(const Dictionary& dictionary) : dictionary_(dictionary) {}

    /// Calls sink.word(id) for each word of the dictionary, whose features are its row and its
    /// subwords; sink.subword(row, name) for each subword of other words; and sink.ngram(row,
    /// first, length) for each n-gram of words. It calls sink.token(text) for each word that
    /// n-grams are made of; `first` counts these.
    template <class Sink>
    void visit(std::string_view text, Sink&& sink) {
        hashes_.clear();
        bool ended = false;
        const char* at = text.data();
        const char* const end = at + text.size();
        while (!ended && next_tokens(at, end)) {
            for (std::size_t k = 0; k < count_ && !ended; ++k) ended = add(tokens_[k], sink);
        }
        if (!ended) add({kEndOfLine, hash_of(kEndOfLine)}, sink);
        visit_ngrams(sink);
    }

  private:
    struct Token {
        std::string_view text;
        std::uint32_t hash;
    };

    /// Reads up to a block of tokens, and fetches their places in the dictionary.
    bool next_tokens(const char*& at, const char* end) {
        count_ = 0;
        while (count_ < tokens_.size()) {
            while (at != end && kIsSpace[static_cast<unsigned char>(*at)]) ++at;
            if (at == end) break;
            const char* const begin = at;
            std::uint32_t hash = kHashStart;
            do {
                hash = hash_byte(hash, *at++);
            } while (at != end && !kIsSpace[static_cast<unsigned char>(*at)]);
            dictionary_.prefetch(hash);
            tokens_[count_++] = {{begin, static_cast<std::size_t>(at - begin)}, hash};
        }
        return count_ > 0;
    }

    /// Whether the token ends the line.
    template <class Sink>
    bool add(const Token& token, Sink&& sink) {
        const std::int32_t id = dictionary_.find(token.text, token.hash);
        const bool ends = token.text == kEndOfLine;
        if (id >= 0 && static_cast<std::size_t>(id) >= dictionary_.words()) return ends;
        if (id < 0 && token.text.starts_with(kLabelPrefix)) return ends;
        if (id >= 0) {
            sink.word(static_cast<std::size_t>(id));
        } else if (!ends && dictionary_.settings().has_subwords()) {
            enclose(token.text, enclosed_);
            dictionary_.visit_subwords(enclosed_, [&sink](std::size_t row, std::string_view name) {
                sink.subword(row, name);
            });
        }
        sink.token(token.text);
        // FastText keeps hashes as signed numbers, and extends the sign.
        hashes_.push_back(static_cast<std::uint64_t>(
            static_cast<std::int64_t>(static_cast<std::int32_t>(token.hash))));
        return ends;
    }

    template <class Sink>
    void visit_ngrams(Sink&& sink) {
        const auto longest = static_cast<std::size_t>(dictionary_.settings().word_ngrams);
        if (longest < 2) return;
        for (std::size_t first = 0; first < hashes_.size(); ++first) {
            std::uint64_t hash = hashes_[first];
            const std::size_t end = std::min(hashes_.size(), first + longest);
            for (std::size_t last = first + 1; last < end; ++last) {
                hash = hash * 116049371 + hashes_[last];
                const std::int64_t row = dictionary_.row_of(hash);
                if (row >= 0) sink.ngram(static_cast<std::size_t>(row), first, last - first + 1);
            }
        }
    }

    const Dictionary& dictionary_;
    std::array<Token, 64> tokens_;
    std::size_t count_ = 0;
    std::vector<std::uint64_t> hashes_;  ///< of the words of the line
    std::string enclosed_;
};

}  // namespace dsir::fasttext
