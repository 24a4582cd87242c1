#pragma once

#include <cstdint>

#include "simd/cpu.hpp"

/// Kernels over rows that lie in panels: kPanelRows rows side by side, one column after the other.
/// A row's sum is taken column by column whatever the width of the kernel, so every width gives the
/// same bits. `count` is a number of panels, `width` one of columns.
namespace dsir::simd {

constexpr std::int64_t kPanelRows = 16;
/// How many points distances_together takes. A panel is then read from memory once for all of them.
constexpr std::int64_t kPointsTogether = 4;

/// The two least values offered, and their numbers; the one offered earlier among equals.
struct LeastTwo {
    float first, second;
    std::int32_t first_number, second_number;
};

/// least_few counts up to here.
constexpr std::int64_t kFew = 7;

struct PanelKernels {
    /// out[row] = squared Euclidean distance from the row to the point. `out` has kPanelRows
    /// entries per panel.
    void (*distances)(const float* panels, std::int64_t count, std::int64_t width,
                      const float* point, float* out);
    /// out[p * count * kPanelRows + row] = what `distances` gives for points[p], of kPointsTogether
    /// points.
    void (*distances_together)(const float* panels, std::int64_t count, std::int64_t width,
                               const float* const* points, float* out);
    /// Writes the numbers from `begin` to `end` - 1 for which values[number] < bounds[number] to
    /// `numbers`, ascending, and returns how many there are. There must be room for all.
    std::int64_t (*below)(const float* values, const float* bounds, std::int64_t begin,
                          std::int64_t end, std::int32_t* numbers);
    /// Offers the values with the numbers from `begin` to `end` - 1, ascending.
    void (*offer_all)(const float* values, std::int64_t begin, std::int64_t end, LeastTwo* least);
    /// Writes the numbers of all values below `limit` to `numbers`, ascending, and returns how many
    /// there are. The limit is the kFew-th smallest of kPanelRows minima, of every kPanelRows-th
    /// value each. So a few more than kFew values are below it, or fewer if some are equal. Of
    /// fewer than kFew finite values all are. There must be room for all `count` panels of values.
    std::int64_t (*least_few)(const float* values, std::int64_t count, std::int32_t* numbers,
                              float* limit);
    /// The place-th smallest of the panels' values; infinity if fewer are finite. `place` is 1 to
    /// kPanelRows.
    float (*place_least)(const float* values, std::int64_t count, std::int32_t place);
    /// Writes the numbers of all values that are at most `limit` to `numbers`, ascending, and
    /// returns how many there are. There must be room for all `count` panels of values.
    std::int64_t (*at_most)(const float* values, std::int64_t count, float limit,
                            std::int32_t* numbers);
    /// Writes the numbers from `begin` to `end` - 1 for which one or the other is `value` to
    /// `numbers`, ascending, and returns how many there are. There must be room for all.
    std::int64_t (*either_equal)(const std::int32_t* one, const std::int32_t* other,
                                 std::int32_t value, std::int64_t begin, std::int64_t end,
                                 std::int32_t* numbers);
    /// values[k] = (a - b) / (a + b) of the roots a and b of values[k] and others[k]; 0 if both are
    /// 0.
    void (*balances)(float* values, const float* others, std::int64_t size);
    /// out[row] = inner product of the row and the point.
    void (*products)(const float* panels, std::int64_t count, std::int64_t width,
                     const float* point, float* out);
    /// out[row] = inner product of the row and the point, with the bits of gais::dot.
    void (*lane_products)(const float* panels, std::int64_t count, std::int64_t width,
                          const float* point, float* out);
    /// Returns the row nearest to the point (the first one among equals), and writes its squared
    /// distance. If no distance is finite, the row is 0 and the distance infinity.
    std::int32_t (*nearest)(const float* panels, std::int64_t count, std::int64_t width,
                            const float* point, float* distance);
};

/// The kernels of a width. For a width that the build does not have, the scalar kernels.
const PanelKernels& panel_kernels(Level level);

extern const PanelKernels kPanelsScalar;
extern const PanelKernels kPanelsNeon;
extern const PanelKernels kPanelsAvx2;
extern const PanelKernels kPanelsAvx512;

}  // namespace dsir::simd
