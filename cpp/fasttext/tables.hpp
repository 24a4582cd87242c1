#pragma once

#include <cstddef>
#include <vector>

#include "fasttext/matrix.hpp"
#include "fasttext/output_layer.hpp"

namespace dsir::fasttext {

/// What the scores of a text are computed from.
///
/// A folded table has for each row its products with every row of the output matrix, so a text's
/// scores are the mean of the entries of its features, and no matrix is needed any more. If there
/// are too many labels for that, the table is the input matrix itself.
struct Tables {
    std::size_t rows = 0;
    std::size_t width = 0;  ///< how many scores the model has if folded, else its dimension
    const char* borrowed = nullptr;  ///< float[rows, width] in somebody else's memory; may be null
    std::vector<float> owned;        ///< float[rows, width], unless borrowed
    std::vector<float> output;       ///< float[scores, width]; empty if folded

    bool folded() const { return output.empty(); }
    const char* entries() const {
        return borrowed != nullptr ? borrowed : reinterpret_cast<const char*>(owned.data());
    }
};

/// Makes the tables of a model. Throws std::invalid_argument if they
/// would take far more memory than the `file_bytes` of the model's file, as only a file that is not
/// honest asks for. `input` must outlive the tables.
Tables make_tables(const Matrix& input, const Matrix& output, const OutputLayer& layer,
                   std::size_t file_bytes);

}  // namespace dsir::fasttext
