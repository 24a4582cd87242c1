#pragma once

#include <string_view>

#include "fasttext/dictionary.hpp"
#include "fasttext/matrix.hpp"
#include "fasttext/settings.hpp"

namespace dsir::fasttext {

/// What a model file of fastText holds (.bin, or quantised .ftz).
struct ModelFile {
    Settings settings;
    Dictionary::Content dictionary;
    Matrix input;   ///< a view of the bytes
    Matrix output;  ///< a view of the bytes
};

/// Reads a supervised model. The bytes may come from anyone: every size is checked against the
/// bytes that are there before memory is taken for it. Matrices stay views, so the bytes must
/// outlive them.
///
/// Throws std::invalid_argument if the bytes are not such a model, or are damaged.
ModelFile read_model(std::string_view bytes);

}  // namespace dsir::fasttext
