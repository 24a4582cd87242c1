#pragma once

#include <cstdint>

/// Supervised models of fastText (Joulin et al. 2017, arXiv 1607.01759): a text's label scores are
/// the mean of the rows of its words, word n-grams and subwords, times an output matrix.
namespace dsir::fasttext {

/// How label scores become probabilities. The values are those of the file format.
enum class Loss : std::int32_t {
    hierarchical_softmax = 1,
    negative_sampling = 2,  ///< predicts as one_vs_all
    softmax = 3,
    one_vs_all = 4,
};

/// The settings of a model that its features and probabilities depend on.
struct Settings {
    std::int32_t dim = 0;          ///< columns of the matrices, 1 or more
    std::int32_t word_ngrams = 1;  ///< the longest word n-gram, 0 or more
    Loss loss = Loss::softmax;
    std::int32_t bucket = 0;  ///< rows for hashed word n-grams and subwords, 0 or more
    std::int32_t minn = 0;    ///< characters of the shortest subword, 0 or more
    std::int32_t maxn = 0;    ///< characters of the longest subword; 0 for none

    bool has_subwords() const { return maxn > 0; }
    bool has_hashed_features() const { return maxn > 0 || word_ngrams > 1; }

    /// Throws std::invalid_argument if a value is out of range.
    void check() const;
};

}  // namespace dsir::fasttext
