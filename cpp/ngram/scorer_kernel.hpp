#pragma once

#include <cstddef>
#include <cstdint>

#include "ngram/kernels.hpp"

namespace dsir::ngram {

/// A scorer that the caller has compiled. Gets the features of a document: the distinct buckets in
/// ascending order, how often each occurs, and how many there are (at least 1); the number of
/// tokens; and log_ratio[all], the model's log ratio of every bucket. Returns the document's
/// log-weight, or NaN if the kernel failed.
using ScorerKernel = double (*)(const std::uint32_t* buckets, const std::uint32_t* counts,
                                std::int64_t size, std::int64_t tokens, const double* log_ratio,
                                std::int64_t all);

/// The greatest magnitude of what a ScorerKernel may return. Draws add noise to log-weights and
/// divide them by temperatures; from here they stay finite.
inline constexpr double kLargestScore = 1e15;

/// Computes the log-weights of every row by a kernel, one for each row of log_ratio[targets]
/// [spec.buckets]. The result does not depend on `threads`. Throws text::KernelError if the kernel
/// returns no number, or one beyond kLargestScore. `watches` see the tokens of the rows as well,
/// unless it is null.
void score_by_kernel(const arrow::TextColumn& column, const FeatureSpec& spec, ScorerKernel kernel,
                     const double* log_ratio, std::size_t targets, unsigned threads,
                     const ScoreOutput& out, const TokenWatches* watches = nullptr);

}  // namespace dsir::ngram
