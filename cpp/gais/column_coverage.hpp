#pragma once

#include <cstdint>
#include <vector>

namespace dsir::gais {

/// The columns that each row has, those of its entries that are not 0, each once: row i has
/// columns[k] for k from offsets[i] to offsets[i + 1] - 1. A view: the caller owns the arrays.
struct ColumnListsView {
    std::int64_t rows;
    std::int64_t width;
    const std::int64_t* offsets;
    const std::int32_t* columns;
};

/// Chooses rows of each class that together have the columns which tell the class from the others.
///
/// The weight of a column in a class is the number of the class's rows that have it times the
/// logarithm of how much likelier it is in the class than outside, (a + 1/2) / (A + 1) over
/// (b + 1/2) / (B + 1), or nothing if it is not likelier, or if a single row of all has it. Here a
/// of the A rows of the class have it, and b of the B other rows. A row gains, for each of its
/// columns, the weight over (1 + c)^2, where c chosen rows of the class have the column; the sum is
/// divided by the number of the row's columns to the power 3/4, so that a long row is not chosen
/// for its length alone. Greedy: the row with the highest gain is chosen next.
///
/// Gains only fall, so that lazy greedy (Minoux 1978) chooses what plain greedy chooses. Only basic
/// operations and portable_log are used, in one order: the result is the same on every machine.
///
/// @param labels [rows], 0 to wanted.size() - 1
/// @param priority [rows]: of rows that gain the same, the one with the smaller number comes first
/// @param wanted how many rows to choose of each class, at most as many as it has
/// @param threads classes are chosen from side by side; the result does not depend on it
/// @return the rows, class after class, in the order in which they were chosen
std::vector<std::int32_t> column_coverage(const ColumnListsView& lists, const std::int32_t* labels,
                                          const std::int32_t* priority,
                                          const std::vector<std::int64_t>& wanted,
                                          unsigned threads);

}  // namespace dsir::gais
