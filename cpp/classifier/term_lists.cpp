#include "classifier/term_lists.hpp"

#include <array>
#include <bit>
#include <memory>
#include <mutex>
#include <utility>

#include "ngram/bucket_stream.hpp"
#include "parallel/for_ranges.hpp"
#include "text/row_status.hpp"

namespace dsir::classifier {
namespace {

/// Sorts terms of distinct buckets. Use one per thread.
class Sorter {
  public:
    explicit Sorter(std::uint32_t buckets)
        : bits_(static_cast<unsigned>(std::bit_width(buckets - 1))) {}

    void sort(std::span<Term> terms) {
        if (terms.size() < kFew) {
            std::sort(terms.begin(), terms.end());
            return;
        }
        other_.resize(terms.size());
        std::span<Term> from = terms, to = other_;
        for (unsigned done = 0; done < bits_; done += kDigit) {
            sort_by_digit(from, to, kCountBits + done);
            std::swap(from, to);
        }
        if (from.data() != terms.data()) std::copy(from.begin(), from.end(), terms.begin());
    }

  private:
    static constexpr std::size_t kFew = 256;  // below, the places of all digits take longer
    static constexpr unsigned kDigit = 9;

    static void sort_by_digit(std::span<const Term> from, std::span<Term> to, unsigned shift) {
        constexpr std::uint32_t kMask = (1U << kDigit) - 1;
        std::array<std::size_t, kMask + 2> places{};
        for (const Term term : from) ++places[((term >> shift) & kMask) + 1];
        for (std::size_t d = 1; d < places.size(); ++d) places[d] += places[d - 1];
        for (const Term term : from) to[places[(term >> shift) & kMask]++] = term;
    }

    unsigned bits_;
    std::vector<Term> other_;
};

/// The scratch memory of one thread.
struct Scratch {
    explicit Scratch(const ngram::FeatureSpec& spec)
        : stream(spec), terms(spec.buckets), sorter(spec.buckets) {}
    ngram::BucketStream stream;
    DocumentTerms terms;
    Sorter sorter;
};

/// The lists of consecutive documents.
struct Part {
    std::int64_t first = 0;  ///< number of the first document
    std::vector<std::int64_t> lengths;
    std::vector<Term> terms;
};

}  // namespace

TermLists term_lists(const arrow::TextColumn& column, const ngram::FeatureSpec& spec,
                     std::span<const std::int64_t> positions, std::uint64_t most,
                     unsigned threads) {
    std::vector<std::unique_ptr<Scratch>> scratches(threads);
    std::vector<Part> parts;
    std::mutex mutex;
    const auto list_range = [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        if (!scratches[thread]) scratches[thread] = std::make_unique<Scratch>(spec);
        Scratch& scratch = *scratches[thread];
        Part part;
        part.first = begin;
        for (std::int64_t i = begin; i < end; ++i) {
            const std::size_t before = part.terms.size();
            const auto document = column[positions[static_cast<std::size_t>(i)]];
            if (document && document->size() <= text::kLargestDocument) {
                std::uint64_t ngrams = 0;
                const auto outcome =
                    scratch.stream.run(*document, [&](std::span<const std::uint32_t> stretch) {
                        if (ngrams < most) scratch.terms.add(stretch);
                        ngrams += stretch.size();
                    });
                if (outcome.valid) {
                    scratch.terms.finish([&part](std::uint32_t bucket, std::uint32_t count) {
                        part.terms.push_back((bucket << kCountBits) | count);
                    });
                    scratch.sorter.sort(std::span(part.terms).subspan(before));
                } else {
                    scratch.terms.forget();
                }
            }
            part.lengths.push_back(static_cast<std::int64_t>(part.terms.size() - before));
        }
        const std::lock_guard lock(mutex);
        parts.push_back(std::move(part));
    };
    parallel::for_ranges(static_cast<std::int64_t>(positions.size()), threads, list_range);
    std::sort(parts.begin(), parts.end(),
              [](const Part& a, const Part& b) { return a.first < b.first; });
    TermLists lists;
    lists.offsets.reserve(positions.size() + 1);
    lists.offsets.push_back(0);
    for (const Part& part : parts) {
        for (const std::int64_t length : part.lengths) {
            lists.offsets.push_back(lists.offsets.back() + length);
        }
        lists.terms.insert(lists.terms.end(), part.terms.begin(), part.terms.end());
    }
    return lists;
}

}  // namespace dsir::classifier
