// n-grams that documents share with texts, against a map of every n-gram of the texts.

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "contamination/finder.hpp"
#include "fuzz_input.hpp"
#include "text_rows.hpp"
#include "token_rows.hpp"

namespace {

using namespace dsir;
using contamination::NgramIndex;
using Ngram = std::vector<std::uint64_t>;

std::vector<Ngram> ngrams_of(const test::Row& row, std::size_t n) {
    const std::vector<std::uint64_t> tokens = fuzz::token_hashes_of(row);
    std::vector<Ngram> ngrams;
    for (auto at = tokens.begin(); tokens.end() - at >= static_cast<std::ptrdiff_t>(n); ++at) {
        ngrams.emplace_back(at, at + static_cast<std::ptrdiff_t>(n));
    }
    return ngrams;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input input(data, size);
    const std::size_t n = 1 + input.below(input.below(4) == 0 ? 40 : 6);
    const std::size_t in_texts = input.below(4);
    const auto most = static_cast<std::uint32_t>(1 + input.below(9));
    const std::size_t layout = input.below(5);
    const unsigned threads = 1 + static_cast<unsigned>(input.below(16) == 0);
    test::Rows documents = fuzz::rows_in(input.rest());
    const auto cut = static_cast<std::ptrdiff_t>(std::min(in_texts, documents.size()));
    const test::Rows texts(documents.begin(), documents.begin() + cut);
    documents.erase(documents.begin(), documents.begin() + cut);

    const auto texts_array = fuzz::in_layout(layout, texts);
    const NgramIndex index(texts_array->column(), {}, static_cast<unsigned>(n));
    std::map<Ngram, std::uint32_t> first;
    for (std::uint32_t text = 0; text < texts.size(); ++text) {
        for (const Ngram& ngram : ngrams_of(texts[text], n)) first.emplace(ngram, text);
        HOLDS(index.lengths()[text] == fuzz::token_hashes_of(texts[text]).size());
    }
    HOLDS(index.size() == first.size());

    const auto array = fuzz::in_layout(layout, documents);
    std::vector<std::uint32_t> ngrams(documents.size(), 7);
    std::vector<std::uint32_t> text(documents.size(), 7);
    contamination::find(array->column(), index, threads, {ngrams.data(), text.data(), most});
    for (std::size_t row = 0; row < documents.size(); ++row) {
        std::set<Ngram> shared;
        std::uint32_t expected = NgramIndex::kNone;
        for (const Ngram& ngram : ngrams_of(documents[row], n)) {
            const auto at = first.find(ngram);
            if (at == first.end()) continue;
            if (shared.empty()) expected = at->second;
            shared.insert(ngram);
        }
        HOLDS(ngrams[row] == std::min<std::size_t>(shared.size(), most));
        HOLDS(text[row] == expected);
    }
    return 0;
}
