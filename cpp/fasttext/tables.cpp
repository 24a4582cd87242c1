#include "fasttext/tables.hpp"

#include <cmath>
#include <stdexcept>

namespace dsir::fasttext {
namespace {

void require(bool condition, const char* message) {
    if (!condition) throw std::invalid_argument(message);
}

/// A quantised matrix usually takes 4 to 32 times its size when it is expanded.
void check_expansion(std::size_t rows, std::size_t width, std::size_t file_bytes) {
    const std::size_t most = 64 * file_bytes + (std::size_t{64} << 20);
    require(width == 0 || rows <= most / sizeof(float) / width,
            "its matrices would take more than 64 times the memory of the file");
}

/// Sets folded[width] to the products of a row with every row of an output matrix.
void fold_row(const std::vector<float>& row, const std::vector<float>& output, float* folded,
              std::size_t width) {
    const std::size_t dim = row.size();
    for (std::size_t o = 0; o < width; ++o) {
        const float* const weights = output.data() + o * dim;
        double sums[4] = {};
        std::size_t c = 0;
        for (; c + 4 <= dim; c += 4) {
            for (std::size_t k = 0; k < 4; ++k) {
                sums[k] += double{row[c + k]} * double{weights[c + k]};
            }
        }
        for (; c < dim; ++c) sums[0] += double{row[c]} * double{weights[c]};
        folded[o] = static_cast<float>((sums[0] + sums[1]) + (sums[2] + sums[3]));
        require(std::isfinite(folded[o]), "its numbers are too large to multiply");
    }
}

}  // namespace

Tables make_tables(const Matrix& input, const Matrix& output, const OutputLayer& layer,
                   std::size_t file_bytes) {
    const std::size_t scores = layer.scores();
    const std::size_t dim = input.columns();
    require(output.rows() == layer.labels(), "its output matrix does not have one row per label");
    check_expansion(output.rows(), dim, file_bytes);
    Tables tables;
    tables.rows = input.rows();
    tables.output = output.copied();
    if (layer.relative()) {
        const std::vector<float> last(tables.output.end() - static_cast<std::ptrdiff_t>(dim),
                                      tables.output.end());
        for (std::size_t at = 0; at < scores * dim; ++at) {
            tables.output[at] -= last[at % dim];
            require(std::isfinite(tables.output[at]), "its numbers are too large to subtract");
        }
    }
    tables.output.resize(scores * dim);
    // Folding multiplies every row with every score, so it has to save something.
    const bool folds = scores <= 4 || 4 * scores <= dim;
    tables.width = folds ? scores : dim;
    if (!folds && !input.quantised()) {
        tables.borrowed = input.values();
        return tables;
    }
    check_expansion(input.rows(), tables.width, file_bytes);
    if (!folds) {
        tables.owned = input.copied();
        return tables;
    }
    tables.owned.resize(input.rows() * scores);
    std::vector<float> row(dim);
    for (std::size_t r = 0; r < input.rows(); ++r) {
        input.copy_row(r, row.data());
        fold_row(row, tables.output, tables.owned.data() + r * scores, scores);
    }
    tables.output.clear();
    return tables;
}

}  // namespace dsir::fasttext
