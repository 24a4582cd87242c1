#pragma once

#include <string>

#include "bindings/python.hpp"
#include "ngram/feature_spec.hpp"

namespace dsir::bindings {

/// The tokeniser of a name.
inline ngram::TokenizerKind tokenizer_kind(const std::string& name) {
    if (name == "wordpunct") return ngram::TokenizerKind::wordpunct;
    if (name == "word_tokenize") return ngram::TokenizerKind::word_tokenize;
    require(name == "split", "tokenizer must be 'wordpunct', 'word_tokenize' or 'split'");
    return ngram::TokenizerKind::split;
}

}  // namespace dsir::bindings
