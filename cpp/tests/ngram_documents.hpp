#pragma once

// Documents for the tests of n-grams, and what named_ngrams() says of them: the plain definition.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "check.hpp"
#include "ngram/kernels.hpp"
#include "text_array.hpp"

namespace dsir::test {

using ngram::FeatureSpec;
using ngram::HashKind;
using ngram::NamedNgram;

inline std::string random_document(Random& random, std::size_t tokens) {
    static const std::vector<std::string> words = {"the",
                                                   "a",
                                                   "Of",
                                                   "queen",
                                                   "\u00c9t\u00e9",
                                                   "\u4e2d\u6587",
                                                   "!",
                                                   "...",
                                                   "\u0130",
                                                   "\u03a3",
                                                   "12",
                                                   "antidisestablishmentarianism"};
    std::string text;
    for (std::size_t i = 0; i < tokens; ++i) {
        switch (random.below(12)) {
            case 0:
                text +=
                    std::string(1 + random.below(60), static_cast<char>('a' + random.below(26)));
                break;
            case 1:
                text += std::to_string(random.below(1000)) + "w";
                break;
            default:
                text += words[random.below(words.size())];
        }
        if (random.below(5) != 0) text += ' ';
    }
    return text;
}

/// Documents of every kind, some of them null or not UTF-8.
inline Rows random_rows(Random& random, std::size_t count) {
    Rows rows;
    for (std::size_t i = 0; i < count; ++i) {
        std::string text = random_document(random, random.below(i % 20 == 0 ? 1500 : 40));
        const std::size_t fate = random.below(10);
        if (fate == 0) text.insert(random.below(text.size() + 1), "\xff");
        rows.push_back(fate == 1 ? Row() : Row(text));
    }
    rows.push_back("");
    rows.push_back(" \n ");
    return rows;
}

inline std::vector<std::uint32_t> named_buckets(std::string_view text, const FeatureSpec& spec) {
    std::vector<NamedNgram> named;
    CHECK(ngram::named_ngrams(text, spec, named));
    std::vector<std::uint32_t> buckets;
    for (const auto& one : named) buckets.push_back(one.bucket);
    return buckets;
}

inline bool is_utf8(std::string_view text) {
    std::vector<NamedNgram> named;
    return ngram::named_ngrams(text, {1, 2, HashKind::fast}, named);
}

inline const std::vector<HashKind> kHashes = {HashKind::fast, HashKind::sha256};

}  // namespace dsir::test
