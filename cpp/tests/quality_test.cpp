#include "quality/quality.hpp"

#include <map>
#include <set>

#include "check.hpp"
#include "quality/document_table.hpp"
#include "text_array.hpp"
#include "unicode/utf8.hpp"

// measure() against counting the tokenizer's tokens by hand, with the strings themselves as keys.

namespace {

using dsir::quality::kRepeatedOrder;
using dsir::quality::Measures;
using dsir::quality::StopWords;
using dsir::test::Random;
using dsir::test::Row;
using dsir::test::Rows;
using dsir::test::TextArray;
using dsir::text::RowStatus;
using Numbers = std::vector<std::uint32_t>;

const std::vector<std::string> kStopWords = {
    "the", "of", "", "the", "antidisestablishmentarians", "\u00e9t\u00e9", "a"};

/// The columns side by side, row by row: seven numbers and the status.
std::vector<Numbers> measured(const Rows& rows, unsigned threads, bool repeated = true) {
    const auto array = TextArray::strings(rows);
    const StopWords stop_words(kStopWords);
    std::vector<Numbers> columns(7, Numbers(rows.size(), 99));
    std::vector<RowStatus> status(rows.size());
    dsir::quality::measure(array->column(), dsir::text::TokenizerKind::wordpunct,
                           dsir::text::Form::as_is, stop_words, threads,
                           Measures{columns[0].data(), columns[1].data(), columns[2].data(),
                                    columns[3].data(), columns[4].data(), columns[5].data(),
                                    repeated ? columns[6].data() : nullptr, status.data()});
    std::vector<Numbers> by_row;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Numbers numbers;
        for (const Numbers& column : columns) numbers.push_back(column[row]);
        numbers.push_back(static_cast<std::uint32_t>(status[row]));
        by_row.push_back(numbers);
    }
    return by_row;
}

bool is_number(const std::string& token) {
    // Digits, and any other character between two digits.
    for (std::size_t i = 0; i < token.size(); ++i) {
        const auto digit = [&](std::size_t at) {
            return at < token.size() && token[at] >= '0' && token[at] <= '9';
        };
        const bool separator = token[i] == '.' || token[i] == ',';
        if (!digit(i) && !(separator && i > 0 && digit(i - 1) && digit(i + 1))) return false;
    }
    return true;
}

Numbers by_hand(const Row& row) {
    Numbers none(8, 0);
    if (!row) {
        none[7] = static_cast<std::uint32_t>(RowStatus::null);
        return none;
    }
    dsir::text::TokenBuffer buffer;
    dsir::text::WordPunct tokenizer(*row, buffer);
    std::vector<std::string> tokens;
    while (tokenizer.next()) {
        for (std::size_t k = 0; k < buffer.size(); ++k) tokens.emplace_back(buffer[k]);
    }
    if (!tokenizer.valid()) {
        none[7] = static_cast<std::uint32_t>(RowStatus::invalid_utf8);
        return none;
    }
    Numbers numbers(8, 0);
    std::map<std::string, std::uint32_t> counts;
    const std::set<std::string> stop(kStopWords.begin(), kStopWords.end());
    for (const std::string& token : tokens) {
        ++numbers[0];
        numbers[1] = std::max(numbers[1], ++counts[token]);
        std::uint32_t alphanumeric = 0;
        const auto* at = reinterpret_cast<const std::uint8_t*>(token.data());
        const auto* const end = at + token.size();
        while (at < end) {
            const auto decoded = dsir::unicode::decode_utf8(at, end);
            at += decoded.length;
            ++numbers[4];
            if (decoded.code_point == U'_') continue;
            const auto kind = dsir::unicode::properties_of(decoded.code_point).kind;
            alphanumeric += dsir::unicode::Kind{kind} == dsir::unicode::Kind::word;
        }
        numbers[2] += alphanumeric > 0 && !stop.contains(token);
        numbers[3] += is_number(token);
        numbers[5] += alphanumeric;
    }
    std::set<std::vector<std::string>> seen;
    std::set<std::size_t> within;
    for (std::size_t last = kRepeatedOrder; last <= tokens.size(); ++last) {
        const std::size_t first = last - kRepeatedOrder;
        const std::vector<std::string> ngram(tokens.begin() + static_cast<std::ptrdiff_t>(first),
                                             tokens.begin() + static_cast<std::ptrdiff_t>(last));
        if (seen.insert(ngram).second) continue;
        for (std::size_t k = first; k < last; ++k) within.insert(k);
    }
    numbers[6] = static_cast<std::uint32_t>(within.size());
    return numbers;
}

std::string random_document(Random& random, std::size_t tokens) {
    static const std::vector<std::string> words = {"the",
                                                   "OF",
                                                   "antidisestablishmentarians",
                                                   "\u00c9t\u00e9",
                                                   "queen",
                                                   "1984",
                                                   "7",
                                                   "_",
                                                   "a_b",
                                                   "...",
                                                   "3.14",
                                                   "\u0661",
                                                   "\u00b2",
                                                   "\u0130",
                                                   "\u4e2d"};
    std::string text;
    for (std::size_t i = 0; i < tokens; ++i) {
        text += random.below(9) == 0 ? "w" + std::to_string(random.below(100000))
                                     : words[random.below(words.size())];
        text += random.below(5) == 0 ? "" : " ";
    }
    return text;
}

TEST(numbers_by_hand) {
    Random random(1);
    Rows rows = {std::nullopt, "", " \n", "\xff the", "the the \xff", "a b c d e a b c d e a"};
    for (int i = 0; i < 300; ++i) {
        std::string text = random_document(random, random.below(i % 25 == 0 ? 6000 : 60));
        const std::size_t fate = random.below(10);
        if (fate == 0) text.insert(random.below(text.size() + 1), "\xff");
        rows.push_back(fate == 1 ? Row() : Row(text));
    }
    // The same phrase over and over, and one that overlaps itself.
    rows.push_back(std::string(400, 'x') + " y" + std::string(300, 'y'));
    std::string phrases;
    for (int i = 0; i < 200; ++i) phrases += i % 3 == 0 ? "one two three four five six " : "x ";
    rows.push_back(phrases);
    const auto one = measured(rows, 1);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        CHECK_EQUAL_FOR(rows[row].value_or("(null)").substr(0, 200), one[row], by_hand(rows[row]));
    }
    for (const unsigned threads : {2U, 5U}) CHECK(measured(rows, threads) == one);
    // Left alone if it is not asked for.
    const auto without = measured(rows, 1, false);
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Numbers expected = one[row];
        expected[6] = 99;
        CHECK_EQUAL(without[row], expected);
    }
}

TEST(what_a_number_is) {
    // A tokenizer that cuts only at spaces would leave these whole. wordpunct cuts them further,
    // and the pieces are counted.
    const Rows rows = {"1984", "3.14", "1,000.5", "a1", "\u0661", "1.", "v2 7"};
    const auto found = measured(rows, 1);
    Numbers numbers;
    for (const auto& row : found) numbers.push_back(row[3]);
    CHECK_EQUAL(numbers, Numbers{1, 2, 3, 0, 0, 1, 1});
}

TEST(a_table_from_document_to_document) {
    Random random(2);
    dsir::quality::DocumentTable<std::uint32_t> table;
    for (int document = 0; document < 60; ++document) {
        table.start_document();
        std::map<std::uint64_t, std::uint32_t> expected;
        const std::size_t keys = document == 30 ? 300000 : random.below(4000);
        for (std::size_t i = 0; i < keys; ++i) {
            // Keys that share their low bits, so that they collide.
            const std::uint64_t key = random.below(keys) << (document % 2 == 0 ? 0 : 40);
            const bool fresh = expected.count(key) == 0;
            auto found = table[key];
            if (found.fresh != fresh || found.value != expected[key]) {
                CHECK_EQUAL_FOR(document, found.value, expected[key]);
                CHECK_EQUAL(found.fresh, fresh);
                return;
            }
            found.value = ++expected[key];
        }
        CHECK(true);
    }
}

}  // namespace
