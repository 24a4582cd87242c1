// Term counts of units against counting in maps.

#include <algorithm>
#include <map>
#include <set>

#include "fuzz_input.hpp"
#include "lexrank/term_counter.hpp"
#include "plain_text.hpp"
#include "text_rows.hpp"

namespace {

using namespace dsir;
using Units = std::vector<std::map<std::string, float>>;

/// The terms of rows, found in the plain way. Rows that are not UTF-8 have none.
Units units_of(const test::Rows& rows, bool words_only, const std::set<std::string>& stopwords) {
    Units units;
    for (const test::Row& row : rows) {
        units.emplace_back();
        const auto characters = fuzz::characters_of(row.value_or(""));
        if (!characters) continue;
        for (const std::string& token : fuzz::wordpunct_tokens(*characters).tokens) {
            const char32_t first = fuzz::characters_of(token)->front().code_point;
            if (words_only && fuzz::kind_of(first) != unicode::Kind::word) continue;
            if (!stopwords.contains(token)) ++units.back()[token];
        }
    }
    return units;
}

void check(lexrank::TermCounter& counter, const Units& units) {
    std::map<std::string, std::int64_t> documents;
    for (const auto& unit : units) {
        for (const auto& [term, count] : unit) ++documents[term];
    }
    HOLDS(counter.units() == static_cast<std::int64_t>(units.size()));
    HOLDS(counter.terms().size() == documents.size());
    for (std::size_t id = 0; id < documents.size(); ++id) {
        const std::string term(counter.terms()[id]);
        HOLDS(documents.contains(term) && counter.term_documents()[id] == documents[term]);
        HOLDS(counter.terms().find(term, lexrank::Vocabulary::hash_of(term)) == id);
    }
    // Columns are ordered by document counts, which lead back to the terms of a row.
    const lexrank::TermCounts taken = counter.take(1);
    HOLDS(taken.offsets.size() == units.size() + 1);
    HOLDS(taken.document_counts.size() == documents.size());
    HOLDS(std::is_sorted(taken.document_counts.rbegin(), taken.document_counts.rend()));
    std::vector<std::int64_t> in_rows(documents.size());
    for (std::size_t unit = 0; unit < units.size(); ++unit) {
        std::vector<float> expected;
        for (const auto& [term, count] : units[unit]) expected.push_back(count);
        std::vector<float> found(taken.counts.begin() + taken.offsets[unit],
                                 taken.counts.begin() + taken.offsets[unit + 1]);
        std::sort(expected.begin(), expected.end());
        std::sort(found.begin(), found.end());
        HOLDS(found == expected);
        for (std::int64_t k = taken.offsets[unit]; k < taken.offsets[unit + 1]; ++k) {
            HOLDS(k == taken.offsets[unit] || taken.columns[k - 1] < taken.columns[k]);
            ++in_rows[static_cast<std::size_t>(taken.columns[k])];
        }
    }
    HOLDS(in_rows == taken.document_counts);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const bool words_only = input.below(2) == 1;
    const std::size_t layout = input.below(5);
    const unsigned threads = 1 + static_cast<unsigned>(input.below(16) == 0);
    const std::size_t some = input.below(4);
    test::Rows rows = fuzz::rows_in(input.rest());
    std::vector<std::string> stopwords = {"the"};
    for (std::size_t i = 0; i < some && !rows.empty(); ++i) {
        if (rows.front() && !rows.front()->empty()) stopwords.push_back(*rows.front());
        rows.erase(rows.begin());
    }
    const Units units =
        units_of(rows, words_only, std::set<std::string>(stopwords.begin(), stopwords.end()));

    // All rows at once, and in two batches.
    lexrank::TermCounter all(words_only, stopwords, true);
    all.add(fuzz::in_layout(layout, rows)->column(), threads);
    lexrank::TermCounter parts(words_only, stopwords, true);
    lexrank::TermCounter counts(words_only, stopwords, false);
    lexrank::TermCounter second(words_only, stopwords, false);
    const auto half = static_cast<std::int64_t>(rows.size() / 2);
    for (const std::int64_t first : {std::int64_t{0}, half}) {
        const auto part = fuzz::in_layout(layout, rows);
        part->slice(first, first == 0 ? half : static_cast<std::int64_t>(rows.size()) - half);
        parts.add(part->column(), 1);
        (first == 0 ? counts : second).add(part->column(), 1);
        if (half == 0) break;
    }
    if (half == 0 && !rows.empty()) {
        parts.add(fuzz::in_layout(layout, rows)->column(), 1);
        second.add(fuzz::in_layout(layout, rows)->column(), 1);
    }
    counts.merge(second);
    HOLDS(counts.term_documents() == all.term_documents());
    check(all, units);
    check(parts, units);
    return 0;
}
