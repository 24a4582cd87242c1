#include "ngram/score_together.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include "ngram/shared_stream.hpp"
#include "parallel/for_ranges.hpp"
#include "text/row_status.hpp"

namespace dsir::ngram {
namespace {

/// The different specs of parts, and which of them each part has.
struct Specs {
    explicit Specs(std::span<const ScorePart> parts) {
        for (const ScorePart& part : parts) {
            const auto at = std::find(different.begin(), different.end(), part.spec);
            of_part.push_back(static_cast<std::size_t>(at - different.begin()));
            if (at == different.end()) different.push_back(part.spec);
        }
    }
    std::vector<FeatureSpec> different;
    std::vector<std::size_t> of_part;
};

/// Scores rows after rows. Use one per thread.
///
/// The tables of several parts take turns in the near caches. So that they do not do so for every
/// document, the buckets of short documents are put aside, and every part goes over some thousands
/// of them at a time.
class Worker {
  public:
    Worker(const Specs& specs, std::span<const ScorePart> parts, std::int64_t rows,
           std::span<const ScoreOutput> out, const TokenWatches* watches)
        : specs_(specs),
          parts_(parts),
          rows_(rows),
          out_(out),
          stream_(specs.different),
          aside_(specs.different.size()) {
        for (const ScorePart& part : parts) scorers_.push_back(part.make());
        if (watches != nullptr) watch_ = watches->make();
        stream_.show_tokens_to(watch_.get());
    }

    void take(std::int64_t row, std::optional<std::string_view> document) {
        if (!document) return set(row, 0, 0, text::RowStatus::null);
        if (document->size() > text::kLargestDocument) {
            return set(row, 0, 0, text::RowStatus::too_long);
        }
        if (document->size() > kShort) {
            score_at_once(row, *document);
        } else {
            put_aside(row, *document);
        }
    }

    /// Scores what is put aside.
    void flush() {
        for (std::size_t p = 0; p < parts_.size(); ++p) {
            const std::size_t spec = specs_.of_part[p];
            std::span<const std::uint32_t> rest(aside_[spec]);
            for (const Waiting& one : waiting_) {
                const BucketStream::Outcome& outcome = outcomes_[one.first_outcome + spec];
                std::span<const std::uint32_t> own = rest.first(outcome.features);
                rest = rest.subspan(outcome.features);
                if (own.empty()) continue;
                scorers_[p]->start();
                for (; own.size() > kMostBucketsAtOnce; own = own.subspan(kMostBucketsAtOnce)) {
                    scorers_[p]->add(own.first(kMostBucketsAtOnce));
                }
                scorers_[p]->add(own);
                finish(p, one.row, outcome);
            }
        }
        waiting_.clear();
        outcomes_.clear();
        for (std::vector<std::uint32_t>& list : aside_) list.clear();
    }

  private:
    static constexpr std::size_t kShort = std::size_t{1} << 16;      // bytes
    static constexpr std::size_t kMostAside = std::size_t{1} << 14;  // buckets of a spec

    struct Waiting {
        std::int64_t row;
        std::size_t first_outcome;
    };

    void set(std::int64_t row, std::uint32_t tokens, std::uint32_t bytes, text::RowStatus status) {
        for (std::size_t p = 0; p < parts_.size(); ++p) {
            for (std::size_t c = 0; c < parts_[p].columns; ++c) {
                out_[p].log_weight[static_cast<std::int64_t>(c) * rows_ + row] = 0;
            }
            out_[p].tokens[row] = tokens;
            out_[p].bytes[row] = bytes;
            out_[p].status[row] = status;
        }
    }

    /// Sets what is known of a row with text, ends it for the watch, and tells whether it can be
    /// scored.
    bool set(std::int64_t row, std::string_view document, const BucketStream::Outcome& outcome) {
        const auto bytes = static_cast<std::uint32_t>(document.size());
        if (outcome.valid) {
            if (watch_) watch_->finish(row);
            set(row, static_cast<std::uint32_t>(outcome.tokens), bytes, text::RowStatus::text);
        } else {
            set(row, 0, bytes, text::RowStatus::invalid_utf8);
        }
        return outcome.valid;
    }

    void finish(std::size_t p, std::int64_t row, const BucketStream::Outcome& outcome) {
        scorers_[p]->finish(outcome, weights_);
        for (std::size_t c = 0; c < parts_[p].columns; ++c) {
            out_[p].log_weight[static_cast<std::int64_t>(c) * rows_ + row] = weights_[c];
        }
    }

    void put_aside(std::int64_t row, std::string_view document) {
        const auto outcomes =
            stream_.run(document, [this](std::size_t spec, std::span<const std::uint32_t> buckets) {
                aside_[spec].insert(aside_[spec].end(), buckets.begin(), buckets.end());
            });
        if (!set(row, document, outcomes[0])) {
            // What was delivered before the bad bytes is taken back.
            for (std::size_t spec = 0; spec < aside_.size(); ++spec) {
                aside_[spec].resize(aside_size(spec));
            }
            return;
        }
        waiting_.push_back({row, outcomes_.size()});
        outcomes_.insert(outcomes_.end(), outcomes.begin(), outcomes.end());
        const auto is_full = [](const auto& list) { return list.size() >= kMostAside; };
        if (std::any_of(aside_.begin(), aside_.end(), is_full)) flush();
    }

    /// How many buckets of a spec belong to rows that wait.
    std::size_t aside_size(std::size_t spec) const {
        std::size_t size = 0;
        for (const Waiting& one : waiting_) size += outcomes_[one.first_outcome + spec].features;
        return size;
    }

    void score_at_once(std::int64_t row, std::string_view document) {
        for (const auto& scorer : scorers_) scorer->start();
        const auto outcomes =
            stream_.run(document, [this](std::size_t spec, std::span<const std::uint32_t> buckets) {
                for (std::size_t p = 0; p < parts_.size(); ++p) {
                    if (specs_.of_part[p] == spec) scorers_[p]->add(buckets);
                }
            });
        if (!set(row, document, outcomes[0])) return;
        for (std::size_t p = 0; p < parts_.size(); ++p) {
            const BucketStream::Outcome& outcome = outcomes[specs_.of_part[p]];
            if (outcome.features != 0) finish(p, row, outcome);
        }
    }

    const Specs& specs_;
    std::span<const ScorePart> parts_;
    std::int64_t rows_;
    std::span<const ScoreOutput> out_;
    SharedStream stream_;
    std::unique_ptr<TokenWatch> watch_;                     ///< null if nobody watches
    std::vector<std::unique_ptr<DocumentScorer>> scorers_;  ///< by part
    std::vector<std::vector<std::uint32_t>> aside_;         ///< by spec
    std::vector<Waiting> waiting_;
    std::vector<BucketStream::Outcome> outcomes_;  ///< of each row that waits, one a spec
    std::vector<double> weights_;
};

}  // namespace

void score_together(const arrow::TextColumn& column, std::span<const ScorePart> parts,
                    unsigned threads, std::span<const ScoreOutput> out,
                    const TokenWatches* watches) {
    const Specs specs(parts);
    const std::int64_t rows = column.size();
    std::vector<std::unique_ptr<Worker>> workers(threads);
    parallel::for_ranges(rows, threads, [&](unsigned thread, std::int64_t begin, std::int64_t end) {
        std::unique_ptr<Worker>& own = workers[thread];
        if (!own) own = std::make_unique<Worker>(specs, parts, rows, out, watches);
        for (std::int64_t row = begin; row < end; ++row) own->take(row, column[row]);
        own->flush();
    });
}

}  // namespace dsir::ngram
