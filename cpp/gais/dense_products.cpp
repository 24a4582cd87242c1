#include "gais/dense_products.hpp"

#include <algorithm>
#include <vector>

#include "parallel/for_ranges.hpp"
#include "simd/dense_kernels.hpp"

namespace dsir::gais {
namespace {

// Rows per block of the transposed product: so few blocks that their sums fit the cache.
constexpr std::int64_t kLeastBlock = 512;
constexpr std::int64_t kMostBlocks = 64;
// For smaller products a thread costs more than it gains.
constexpr std::int64_t kSerial = 1 << 18;

}  // namespace

template <class Value>
void multiply(const Value* left, const Value* right, Value* out, std::int64_t rows,
              std::int64_t inner, std::int64_t columns, unsigned threads) {
    const unsigned used = rows * inner * columns < kSerial ? 1 : threads;
    parallel::for_ranges(rows, used, [&](unsigned, std::int64_t begin, std::int64_t end) {
        simd::dense_kernels<Value>().multiply(left, right, out, inner, columns, begin, end);
    });
}

template <class Value>
void multiply_transposed(const Value* left, const Value* right, Value* out, std::int64_t rows,
                         std::int64_t inner, std::int64_t columns, unsigned threads) {
    const std::int64_t block = std::max(kLeastBlock, (rows + kMostBlocks - 1) / kMostBlocks);
    const std::int64_t blocks = std::max<std::int64_t>(1, (rows + block - 1) / block);
    const std::int64_t size = inner * columns;
    std::vector<Value> sums(static_cast<std::size_t>(blocks * size), Value{0});
    const unsigned used = rows * size < kSerial ? 1 : threads;
    parallel::for_ranges(blocks, used, [&](unsigned, std::int64_t begin, std::int64_t end) {
        for (std::int64_t b = begin; b < end; ++b) {
            simd::dense_kernels<Value>().add_transposed(left, right, sums.data() + b * size, inner,
                                                        columns, b * block,
                                                        std::min(rows, (b + 1) * block));
        }
    });
    std::fill(out, out + size, Value{0});
    for (std::int64_t b = 0; b < blocks; ++b) {
        const Value* const sum = sums.data() + b * size;
        for (std::int64_t k = 0; k < size; ++k) out[k] += sum[k];
    }
}

template void multiply(const float*, const float*, float*, std::int64_t, std::int64_t, std::int64_t,
                       unsigned);
template void multiply(const double*, const double*, double*, std::int64_t, std::int64_t,
                       std::int64_t, unsigned);
template void multiply_transposed(const float*, const float*, float*, std::int64_t, std::int64_t,
                                  std::int64_t, unsigned);
template void multiply_transposed(const double*, const double*, double*, std::int64_t, std::int64_t,
                                  std::int64_t, unsigned);

}  // namespace dsir::gais
