#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "check.hpp"
#include "contamination/finder.hpp"
#include "ngram/kernels.hpp"
#include "text_array.hpp"

// The finder looks up one block in several tokens; here every n-gram is looked up, as strings.

namespace {

using dsir::contamination::Found;
using dsir::contamination::NgramIndex;
using dsir::test::Random;
using dsir::test::Row;
using dsir::test::Rows;
using dsir::test::TextArray;
using Numbers = std::vector<std::uint32_t>;

struct Answer {
    Numbers ngrams;
    Numbers text;
    bool operator==(const Answer&) const = default;
};

Answer nothing(std::size_t rows) {
    return {Numbers(rows), Numbers(rows, NgramIndex::kNone)};
}

Answer found(const Rows& documents, const NgramIndex& index, unsigned threads,
             std::uint32_t most = dsir::contamination::kMostHits) {
    const auto array = TextArray::strings(documents);
    Answer answer = nothing(documents.size());
    dsir::contamination::find(array->column(), index, threads,
                              Found{answer.ngrams.data(), answer.text.data(), most});
    return answer;
}

/// The same in the pass that scores.
Answer found_while_scoring(const Rows& documents, const NgramIndex& index, unsigned n,
                           dsir::ngram::HashKind hash, unsigned threads) {
    const auto array = TextArray::strings(documents);
    const std::size_t rows = documents.size();
    dsir::ngram::FeatureSpec spec;
    spec.n = n;
    spec.hash = hash;
    const std::vector<double> zeros(spec.buckets);
    const dsir::ngram::LogRatioTable table(zeros.data(), 1, spec.buckets);
    std::vector<double> log_weight(rows);
    Numbers tokens(rows), bytes(rows);
    std::vector<dsir::text::RowStatus> status(rows);
    Answer answer = nothing(rows);
    const Found out{answer.ngrams.data(), answer.text.data(), dsir::contamination::kMostHits};
    const dsir::contamination::Finders finders(index, out, static_cast<std::int64_t>(rows));
    dsir::ngram::Weighing weighing;
    weighing.targets = 1;
    dsir::ngram::score(array->column(), spec, table, weighing, threads,
                       {log_weight.data(), tokens.data(), bytes.data(), status.data()}, &finders);
    return answer;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words(1);
    for (const char byte : text) {
        if (byte == ' ') {
            words.emplace_back();
        } else {
            words.back() += byte;
        }
    }
    std::erase(words, "");
    return words;
}

std::vector<std::string> ngrams_of(const Row& text, std::size_t n) {
    const std::vector<std::string> words = words_of(text.value_or(""));
    std::vector<std::string> ngrams;
    for (std::size_t at = 0; at + n <= words.size(); ++at) {
        std::string ngram;
        for (std::size_t i = at; i < at + n; ++i) ngram += words[i] + " ";
        ngrams.push_back(ngram);
    }
    return ngrams;
}

Answer expected(const Rows& documents, const Rows& texts, std::size_t n) {
    std::map<std::string, std::uint32_t> first;
    for (std::uint32_t text = 0; text < texts.size(); ++text) {
        for (const std::string& ngram : ngrams_of(texts[text], n)) first.emplace(ngram, text);
    }
    Answer answer = nothing(documents.size());
    for (std::size_t row = 0; row < documents.size(); ++row) {
        std::map<std::string, int> shared;
        for (const std::string& ngram : ngrams_of(documents[row], n)) {
            const auto at = first.find(ngram);
            if (at == first.end()) continue;
            if (shared.empty()) answer.text[row] = at->second;
            shared[ngram] = 1;
        }
        answer.ngrams[row] = static_cast<std::uint32_t>(shared.size());
    }
    return answer;
}

std::string some_words(Random& random, std::size_t most, std::size_t vocabulary) {
    std::string text;
    for (std::size_t left = random.below(most + 1); left > 0; --left) {
        text += std::string(1 + random.below(2), static_cast<char>('a' + random.below(vocabulary)));
        text += ' ';
    }
    return text;
}

}  // namespace

TEST(every_shared_ngram_is_found) {
    Random random(3);
    for (int repeat = 0; repeat < 200; ++repeat) {
        const std::size_t n = 1 + random.below(repeat % 4 == 0 ? 40 : 14);
        const std::size_t vocabulary = 1 + random.below(12);
        Rows texts, documents;
        for (int i = 0; i < 4; ++i) texts.push_back(some_words(random, 50, vocabulary));
        texts.push_back(std::nullopt);
        for (int i = 0; i < 6; ++i) documents.push_back(some_words(random, 60, vocabulary));
        documents.push_back(std::nullopt);
        // A text within a long document, whose first tokens are dropped while it is read.
        documents.push_back(some_words(random, 9000, vocabulary) + texts[0].value_or("") +
                            some_words(random, 9000, vocabulary));
        const auto array = TextArray::strings(texts);
        const NgramIndex index(array->column(), {}, static_cast<unsigned>(n));
        Answer wanted = expected(documents, texts, n);
        for (std::uint32_t& count : wanted.ngrams) {
            count = std::min(count, dsir::contamination::kMostHits);
        }
        CHECK(found(documents, index, 1) == wanted);
        CHECK(found(documents, index, 3) == wanted);
        const auto hash =
            repeat % 5 == 0 ? dsir::ngram::HashKind::sha256 : dsir::ngram::HashKind::fast;
        const auto order = static_cast<unsigned>(1 + random.below(3));
        CHECK(found_while_scoring(documents, index, order, hash, 2) == wanted);
    }
}

TEST(a_document_is_left_once_it_shares_enough) {
    const Rows texts = {"a b c d e f g h i j k"};
    const auto array = TextArray::strings(texts);
    const NgramIndex index(array->column(), {}, 3);
    CHECK_EQUAL(index.size(), std::size_t{9});
    CHECK_EQUAL(found(texts, index, 1, 4).ngrams[0], 4U);
    CHECK_EQUAL(found(texts, index, 1).ngrams[0], 9U);
}

TEST(what_is_not_text_shares_nothing) {
    const Rows texts = {"a b c d", "a b \xFF c d e f", "x y"};
    const auto array = TextArray::strings(texts);
    const NgramIndex index(array->column(), {}, 3);
    CHECK_EQUAL(index.size(), std::size_t{2});
    CHECK_EQUAL(index.lengths()[1], 0U);
    CHECK_EQUAL(index.lengths()[2], 2U);
    const Rows documents = {"a b c d \xFF", std::nullopt, "", "A B C!"};
    const Answer wanted{{0, 0, 0, 1}, {NgramIndex::kNone, NgramIndex::kNone, NgramIndex::kNone, 0}};
    CHECK(found(documents, index, 1) == wanted);
    CHECK(found_while_scoring(documents, index, 2, dsir::ngram::HashKind::fast, 1) == wanted);
}

TEST(without_texts_nothing_is_shared) {
    const auto array = TextArray::strings(Rows{});
    const NgramIndex index(array->column(), {}, 13);
    CHECK(found({"a b c d e f g h i j k l m n o p"}, index, 1) == nothing(1));
}
