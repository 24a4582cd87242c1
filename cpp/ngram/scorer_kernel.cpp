#include "ngram/scorer_kernel.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ngram/score_rows.hpp"
#include "simd/cut.hpp"
#include "text/kernel_tokens.hpp"

namespace dsir::ngram {
namespace {

/// The distinct numbers of a list, in ascending order, and how often each occurs.
struct Distinct {
    std::vector<std::uint32_t> numbers;  ///< the first `size`
    std::vector<std::uint32_t> counts;
    std::size_t size = 0;

    void make_room(std::size_t most) {
        if (counts.size() < most) {
            numbers.resize(most + simd::kCutSlack);
            counts.resize(most);
        }
    }
};

/// Counts numbers below a bound in a table of all of them. A bit for each says which occur, so that
/// reading them in order takes no sorting. Memory: 4 bytes and a bit for each possible number.
class CountTable {
  public:
    explicit CountTable(std::uint32_t bound)
        : counts_(bound), bits_(((bound >> 12) + 1) * kWords), used_((bound >> 12) + 1) {}

    void add(std::span<const std::uint32_t> numbers) {
        added_ += numbers.size();
        std::uint32_t* const counts = counts_.data();
        std::uint64_t* const bits = bits_.data();
        std::uint8_t* const used = used_.data();
        for (const std::uint32_t number : numbers) {
            ++counts[number];
            bits[number >> 6] |= std::uint64_t{1} << (number & 63);
            // A byte, not a bit: it is written without being read, which would wait for the last
            // write.
            used[number >> 12] = 1;
        }
    }

    /// Writes the numbers to `out`, and forgets them.
    void take(Distinct& out) {
        out.make_room(std::min(added_, counts_.size()));
        std::uint32_t* const numbers = out.numbers.data();
        std::size_t size = 0;
        for (std::size_t top = 0; top < used_.size(); ++top) {
            if (used_[top] == 0) continue;
            for (std::size_t word = top * kWords; word < (top + 1) * kWords; ++word) {
                const auto first = static_cast<std::uint32_t>(word * 64);
                size += append_(bits_[word], first, numbers + size);
                bits_[word] = 0;
            }
            used_[top] = 0;
        }
        std::uint32_t* const counts = counts_.data();
        for (std::size_t k = 0; k < size; ++k) {
            out.counts[k] = counts[numbers[k]];
            counts[numbers[k]] = 0;
        }
        out.size = size;
        added_ = 0;
    }

  private:
    static constexpr std::size_t kWords = 64;  ///< words of bits that share a byte of `used_`

    std::vector<std::uint32_t> counts_;
    std::vector<std::uint64_t> bits_;
    std::vector<std::uint8_t> used_;
    simd::AppendPlaces append_ = simd::cut_kernels(simd::active_level()).append;
    std::size_t added_ = 0;
};

/// Counts numbers by sorting them. Memory: the numbers.
class CountList {
  public:
    void add(std::span<const std::uint32_t> numbers) {
        numbers_.insert(numbers_.end(), numbers.begin(), numbers.end());
    }

    void take(Distinct& out) {
        std::sort(numbers_.begin(), numbers_.end());
        out.make_room(numbers_.size());
        out.size = 0;
        for (std::size_t i = 0; i < numbers_.size();) {
            const std::uint32_t number = numbers_[i];
            const std::size_t first = i;
            while (i < numbers_.size() && numbers_[i] == number) ++i;
            out.numbers[out.size] = number;
            out.counts[out.size++] = static_cast<std::uint32_t>(i - first);
        }
        numbers_.clear();
    }

  private:
    std::vector<std::uint32_t> numbers_;
};

/// Up to so many buckets each thread has a table of all: 4 MB.
constexpr std::uint32_t kMostInTable = 1U << 20;

/// Gives the features of a document to a kernel.
template <class Counter>
class KernelScorer {
  public:
    KernelScorer(Counter counter, const FeatureSpec& spec, ScorerKernel kernel,
                 const double* log_ratio, std::size_t targets)
        : counter_(std::move(counter)),
          kernel_(kernel),
          log_ratio_(log_ratio),
          targets_(targets),
          buckets_(spec.buckets) {}

    BucketStream::Outcome take(BucketStream& stream, std::string_view document) {
        const auto outcome = stream.run(
            document, [this](std::span<const std::uint32_t> buckets) { counter_.add(buckets); });
        counter_.take(features_);  // Also of a document that is not valid: the next begins anew.
        return outcome;
    }

    void finish(const BucketStream::Outcome& outcome, std::vector<double>& weights) {
        weights.resize(targets_);
        for (std::size_t t = 0; t < targets_; ++t) {
            weights[t] = kernel_(features_.numbers.data(), features_.counts.data(),
                                 static_cast<std::int64_t>(features_.size),
                                 static_cast<std::int64_t>(outcome.tokens),
                                 log_ratio_ + t * buckets_, std::int64_t{buckets_});
            if (std::isnan(weights[t])) {
                throw text::KernelError(kernel_,
                                        "returned nan, or raised an exception; call it in "
                                        "Python to see which");
            }
            if (std::abs(weights[t]) > kLargestScore) {
                throw text::KernelError(kernel_,
                                        "returned " + std::to_string(weights[t]) +
                                            ", but a log-weight is at most 1e15 in magnitude");
            }
        }
    }

  private:
    Counter counter_;
    ScorerKernel kernel_;
    const double* log_ratio_;
    std::size_t targets_;
    std::uint32_t buckets_;
    Distinct features_;
};

}  // namespace

void score_by_kernel(const arrow::TextColumn& column, const FeatureSpec& spec, ScorerKernel kernel,
                     const double* log_ratio, std::size_t targets, unsigned threads,
                     const ScoreOutput& out, const TokenWatches* watches) {
    const auto run = [&](const auto& counter) {
        score_rows(
            column, spec, targets, threads, out,
            [&] { return KernelScorer(counter, spec, kernel, log_ratio, targets); }, watches);
    };
    if (spec.buckets <= kMostInTable) {
        run(CountTable(spec.buckets));
    } else {
        run(CountList());
    }
}

}  // namespace dsir::ngram
