// Quality measures against sums over the tokens, taken one by one.

#include "quality/quality.hpp"

#include <map>
#include <set>

#include "fuzz_input.hpp"
#include "plain_text.hpp"
#include "text_rows.hpp"

namespace {

using namespace dsir;

struct Plain {
    std::uint32_t tokens = 0;
    std::uint32_t most_frequent = 0;
    std::uint32_t informative = 0;
    std::uint32_t numbers = 0;
    std::uint32_t characters = 0;
    std::uint32_t alphanumeric = 0;
    std::uint32_t repeated = 0;
};

bool is_number(const std::string& token) {
    bool digit = false;
    for (const char c : token) {
        const bool now = c >= '0' && c <= '9';
        if (!now && (!digit || (c != '.' && c != ','))) return false;
        digit = now;
    }
    return digit;
}

Plain measured(const std::vector<std::string>& tokens, const std::set<std::string>& stop_words) {
    Plain sums;
    std::map<std::string, std::uint32_t> counts;
    std::set<std::vector<std::string>> seen;
    std::vector<bool> repeated(tokens.size());
    for (std::size_t k = 0; k < tokens.size(); ++k) {
        const std::string& token = tokens[k];
        ++sums.tokens;
        sums.most_frequent = std::max(sums.most_frequent, ++counts[token]);
        sums.numbers += is_number(token) ? 1 : 0;
        std::uint32_t alphanumeric = 0;
        const std::vector<fuzz::Character> characters = fuzz::characters_of(token).value();
        for (const fuzz::Character& one : characters) {
            ++sums.characters;
            const bool word = fuzz::kind_of(one.code_point) == unicode::Kind::word;
            alphanumeric += word && one.code_point != '_' ? 1 : 0;
        }
        sums.alphanumeric += alphanumeric;
        sums.informative += alphanumeric != 0 && !stop_words.contains(token) ? 1 : 0;
        if (k + 1 < quality::kRepeatedOrder) continue;
        const std::size_t first = k + 1 - quality::kRepeatedOrder;
        const auto from = tokens.begin() + static_cast<std::ptrdiff_t>(first);
        if (!seen.insert({from, from + quality::kRepeatedOrder}).second) {
            for (std::size_t i = first; i <= k; ++i) repeated[i] = true;
        }
    }
    for (const bool one : repeated) sums.repeated += one ? 1 : 0;
    return sums;
}

template <class Tokenizer>
void check(const arrow::TextColumn& column, text::TokenizerKind kind,
           const std::vector<std::string>& stop_words, unsigned threads) {
    const auto rows = static_cast<std::size_t>(column.size());
    std::vector<std::vector<std::uint32_t>> found(7, std::vector<std::uint32_t>(rows, 7));
    std::vector<text::RowStatus> status(rows);
    const quality::StopWords words(stop_words);
    quality::measure(column, kind, text::Form::as_is, words, threads,
                     {found[0].data(), found[1].data(), found[2].data(), found[3].data(),
                      found[4].data(), found[5].data(), found[6].data(), status.data()});
    const std::set<std::string> plain_words(stop_words.begin(), stop_words.end());
    for (std::size_t row = 0; row < rows; ++row) {
        const auto text = column[static_cast<std::int64_t>(row)];
        std::vector<std::string> tokens;
        auto expected = text ? text::RowStatus::text : text::RowStatus::null;
        if (text) {
            text::TokenBuffer buffer;
            Tokenizer tokenizer(*text, buffer);
            while (tokenizer.next()) {
                for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
            }
            if (!tokenizer.valid()) {
                tokens.clear();
                expected = text::RowStatus::invalid_utf8;
            }
        }
        const Plain plain = measured(tokens, plain_words);
        HOLDS(status[row] == expected);
        HOLDS(found[0][row] == plain.tokens);
        HOLDS(found[1][row] == plain.most_frequent);
        HOLDS(found[2][row] == plain.informative);
        HOLDS(found[3][row] == plain.numbers);
        HOLDS(found[4][row] == plain.characters);
        HOLDS(found[5][row] == plain.alphanumeric);
        HOLDS(found[6][row] == plain.repeated);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const auto tokenizer = static_cast<text::TokenizerKind>(input.below(text::kTokenizerCount));
    const std::size_t layout = input.below(5);
    const unsigned threads = 1 + static_cast<unsigned>(input.below(16) == 0);
    const std::size_t some = input.below(4);
    test::Rows rows = fuzz::rows_in(input.rest());
    // The first rows become stop words.
    std::vector<std::string> stop_words = {"the", "and", "of"};
    for (std::size_t i = 0; i < some && !rows.empty(); ++i) {
        stop_words.push_back(rows.front().value_or(""));
        rows.erase(rows.begin());
    }
    const auto array = fuzz::in_layout(layout, rows);
    const arrow::TextColumn column = array->column();
    text::visit_tokenizer(tokenizer, [&]<class Entry>(const Entry&) {
        if constexpr (std::is_same_v<typename Entry::Tokens, text::TokenIds>) return;  // no texts
        check<typename Entry::Tokens>(column, tokenizer, stop_words, threads);
    });
    return 0;
}
