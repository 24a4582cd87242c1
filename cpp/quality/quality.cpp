#include "quality/quality.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "hashing/fast_hash.hpp"
#include "parallel/for_ranges.hpp"
#include "quality/document_table.hpp"
#include "text/token_buffer.hpp"
#include "unicode/utf8.hpp"

namespace dsir::quality {
namespace {

/// The properties of a token, and how often it has occurred in the document.
struct Token {
    std::uint32_t count;
    std::uint32_t characters;
    std::uint32_t alphanumeric;
    std::uint8_t informative;
    std::uint8_t number;
};

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

/// Whether a token consists of digits, with single full stops and commas between them.
bool is_number(std::string_view token) {
    if (!is_digit(token.front()) || !is_digit(token.back())) return false;
    for (std::size_t i = 1; i < token.size(); ++i) {
        if (is_digit(token[i])) continue;
        if ((token[i] != '.' && token[i] != ',') || !is_digit(token[i - 1])) return false;
    }
    return true;
}

void count_characters(std::string_view token, Token& out) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(token.data());
    const std::uint8_t* const end = at + token.size();
    while (at < end) {
        const unicode::Decoded decoded = unicode::decode_utf8(at, end);
        const auto kind = unicode::Kind{unicode::properties_of(decoded.code_point).kind};
        ++out.characters;
        // \w is str.isalnum() or the underscore.
        out.alphanumeric += kind == unicode::Kind::word && decoded.code_point != U'_';
        at += decoded.length;
    }
}

/// Measures documents. Holds scratch memory, so use one per thread.
template <class Tokenizer>
class Meter {
  public:
    Meter(const StopWords& stop_words, text::Form form) : stop_words_(stop_words) {
        if (form != text::Form::as_is) normalizer_.emplace(form);
    }

    void measure(std::string_view document, std::int64_t row, const Measures& out) {
        if (normalizer_) {
            const std::optional<std::string_view> in_form = (*normalizer_)(document);
            if (!in_form) {
                out.status[row] = text::RowStatus::too_long;
                return;
            }
            document = *in_form;
        }
        tokens_.start_document();
        if (out.repeated != nullptr) ngrams_.start_document();
        sums_ = {};
        Tokenizer tokenizer(document, buffer_);
        while (tokenizer.next()) {
            if (out.repeated != nullptr) {
                take<true>();
            } else {
                take<false>();
            }
        }
        if (!tokenizer.valid()) {
            out.status[row] = text::RowStatus::invalid_utf8;
            return;
        }
        out.tokens[row] = sums_.tokens;
        out.most_frequent[row] = sums_.most_frequent;
        out.informative[row] = sums_.informative;
        out.numbers[row] = sums_.numbers;
        out.characters[row] = sums_.characters;
        out.alphanumeric[row] = sums_.alphanumeric;
        if (out.repeated != nullptr) out.repeated[row] = sums_.repeated;
    }

  private:
    struct Nothing {};
    struct Sums {
        std::uint32_t tokens = 0;
        std::uint32_t most_frequent = 0;
        std::uint32_t informative = 0;
        std::uint32_t numbers = 0;
        std::uint32_t characters = 0;
        std::uint32_t alphanumeric = 0;
        std::uint32_t repeated = 0;
        std::uint32_t repeated_to = 0;  ///< end of the last token that `repeated` has counted
    };

    template <bool kRepeated>
    void take() {
        for (std::size_t k = 0; k < buffer_.size(); ++k) {
            const std::string_view token = buffer_[k];
            const std::uint64_t hash = hashing::token_hash(
                reinterpret_cast<const std::uint8_t*>(token.data()), token.size());
            const auto [known, fresh] = tokens_[hash];
            if (fresh) describe(token, hash, known);
            ++known.count;
            sums_.most_frequent = std::max(sums_.most_frequent, known.count);
            sums_.informative += known.informative;
            sums_.numbers += known.number;
            sums_.characters += known.characters;
            sums_.alphanumeric += known.alphanumeric;
            if constexpr (kRepeated) take_ngram(hash);
            ++sums_.tokens;
        }
    }

    void describe(std::string_view token, std::uint64_t hash, Token& out) const {
        count_characters(token, out);
        out.informative = out.alphanumeric != 0 && !stop_words_.contains(hash, token);
        out.number = is_number(token);
    }

    void take_ngram(std::uint64_t hash) {
        std::copy(last_.begin() + 1, last_.end(), last_.begin());
        last_.back() = hash;
        const std::uint32_t end = sums_.tokens + 1;
        if (end < kRepeatedOrder) return;
        std::uint64_t ngram = last_.front();
        for (unsigned i = 1; i < kRepeatedOrder; ++i) {
            ngram = hashing::extend_hash(ngram, last_[i]);
        }
        if (ngrams_[ngram].fresh) return;
        sums_.repeated += end - std::max(end - kRepeatedOrder, sums_.repeated_to);
        sums_.repeated_to = end;
    }

    const StopWords& stop_words_;
    std::optional<text::Normalizer> normalizer_;
    text::TokenBuffer buffer_;
    DocumentTable<Token> tokens_;
    DocumentTable<Nothing> ngrams_;
    std::array<std::uint64_t, kRepeatedOrder> last_{};  ///< hashes of the last tokens
    Sums sums_;
};

void clear_row(std::int64_t row, const Measures& out) {
    for (std::uint32_t* const column : {out.tokens, out.most_frequent, out.informative, out.numbers,
                                        out.characters, out.alphanumeric, out.repeated}) {
        if (column != nullptr) column[row] = 0;
    }
}

template <class Tokenizer>
void measure_by(const arrow::TextColumn& column, text::Form form, const StopWords& stop_words,
                unsigned threads, const Measures& out) {
    std::vector<std::optional<Meter<Tokenizer>>> meters(threads);
    const auto measure_range = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        if (!meters[thread]) meters[thread].emplace(stop_words, form);
        for (std::int64_t row = begin; row < end; ++row) {
            const std::optional<std::string_view> document = column[row];
            clear_row(row, out);
            out.status[row] = document ? text::RowStatus::text : text::RowStatus::null;
            if (!document) continue;
            if (document->size() > text::kLargestDocument) {
                out.status[row] = text::RowStatus::too_long;
                continue;
            }
            meters[thread]->measure(*document, row, out);
        }
    };
    parallel::for_ranges(column.size(), threads, measure_range);
}

}  // namespace

void measure(const arrow::TextColumn& column, text::TokenizerKind tokenizer, text::Form form,
             const StopWords& stop_words, unsigned threads, const Measures& out) {
    text::visit_tokenizer(tokenizer, [&]<class Entry>(const Entry&) {
        measure_by<typename Entry::Tokens>(column, form, stop_words, threads, out);
    });
}

}  // namespace dsir::quality
