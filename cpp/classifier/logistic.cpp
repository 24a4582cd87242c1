#include "classifier/logistic.hpp"

#include <algorithm>
#include <barrier>
#include <cmath>
#include <thread>

#include "classifier/linear_table.hpp"
#include "numeric/portable_exp.hpp"

namespace dsir::classifier {
namespace {

// The constant moves more slowly than the weights, each of which few documents share.
constexpr float kBiasRate = 0.01F;

/// Training, for all threads.
class Training {
  public:
    Training(const TermListsView& lists, std::span<const float> importance, std::size_t buckets,
             const Schedule& schedule, bool graded, unsigned threads)
        : lists_(lists),
          importance_(importance),
          graded_(graded),
          schedule_(schedule),
          threads_(threads),
          weights_(buckets),
          scales_(importance.size()),
          steps_(schedule.batch) {
        for (std::size_t d = 0; d < lists.size(); ++d) {
            const bool left_out = graded_ ? importance_[d] < 0 : importance_[d] == 0;
            if (left_out || lists[d].empty()) continue;
            order_.push_back(d);
            std::int64_t squares = 0;
            for (const Term term : lists[d]) {
                const std::int64_t weight = term_weights_[count_of(term)];
                squares += weight * weight;
            }
            scales_[d] = static_cast<float>(1 / std::sqrt(static_cast<double>(squares)));
        }
    }

    std::vector<float> run() {
        std::barrier barrier(static_cast<std::ptrdiff_t>(threads_));
        const auto work = [&](unsigned thread) {
            for (unsigned pass = 0; pass < schedule_.passes; ++pass) {
                for (std::size_t at = 0; at < order_.size(); at += schedule_.batch) {
                    const std::size_t size = std::min(schedule_.batch, order_.size() - at);
                    const std::span<const std::size_t> batch(order_.data() + at, size);
                    const float rate = rate_at(pass, at);
                    for (std::size_t i = thread; i < size; i += threads_) {
                        steps_[i] = rate * gradient_of(batch[i]);
                    }
                    barrier.arrive_and_wait();
                    update(batch, thread);
                    barrier.arrive_and_wait();
                }
            }
        };
        {
            std::vector<std::jthread> others;
            for (unsigned t = 1; t < threads_; ++t) others.emplace_back(work, t);
            work(0);
        }
        for (float& weight : weights_) {
            weight = std::clamp(weight, -LinearTable::kLargest, LinearTable::kLargest);
        }
        return std::move(weights_);
    }

  private:
    float rate_at(unsigned pass, std::size_t at) const {
        const double done = static_cast<double>(pass) * static_cast<double>(order_.size()) +
                            static_cast<double>(at);
        const double all =
            static_cast<double>(schedule_.passes) * static_cast<double>(order_.size());
        return static_cast<float>(static_cast<double>(schedule_.rate) * (1 - done / all));
    }

    /// The derivative of a document's loss by its log-odds.
    float gradient_of(std::size_t document) const {
        double sum = 0;
        for (const Term term : lists_[document]) {
            sum += static_cast<double>(weights_[bucket_of(term)]) *
                   static_cast<double>(term_weights_[count_of(term)]);
        }
        const double log_odds =
            sum * static_cast<double>(scales_[document]) + static_cast<double>(bias_);
        const double limited = std::clamp(log_odds, -700.0, 700.0);
        const double probability = 1 / (1 + numeric::portable_exp(-limited));
        const auto weight = static_cast<double>(importance_[document]);
        if (graded_) return static_cast<float>(probability - weight);
        return static_cast<float>(weight > 0 ? weight * (probability - 1) : -weight * probability);
    }

    /// Updates the buckets of one thread.
    void update(std::span<const std::size_t> batch, unsigned thread) {
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const float step = steps_[i] * scales_[batch[i]];
            for (const Term term : share_of(lists_[batch[i]], thread)) {
                weights_[bucket_of(term)] -=
                    step * static_cast<float>(term_weights_[count_of(term)]);
            }
            if (thread == 0) bias_ -= kBiasRate * steps_[i];
        }
    }

    /// The terms of a document whose buckets one thread updates.
    std::span<const Term> share_of(std::span<const Term> terms, unsigned thread) const {
        if (threads_ == 1) return terms;
        const auto from = [&](unsigned number) {
            const std::uint64_t first = std::uint64_t{weights_.size()} * number / threads_;
            return std::lower_bound(terms.begin(), terms.end(), first << kCountBits);
        };
        return {from(thread), from(thread + 1)};
    }

    TermListsView lists_;
    std::span<const float> importance_;  ///< or grades
    bool graded_;
    Schedule schedule_;
    unsigned threads_;
    TermWeights term_weights_;
    std::vector<float> weights_;
    float bias_ = 0;
    std::vector<float> scales_;       ///< 1 / the length of each document's vector of terms
    std::vector<float> steps_;        ///< rate times gradient, of the documents of a batch
    std::vector<std::size_t> order_;  ///< the documents that are learned from
};

}  // namespace

std::vector<float> train(const TermListsView& lists, std::span<const float> importance,
                         std::size_t buckets, const Schedule& schedule, unsigned threads) {
    return Training(lists, importance, buckets, schedule, false, threads).run();
}

std::vector<float> train_graded(const TermListsView& lists, std::span<const float> grades,
                                std::size_t buckets, const Schedule& schedule, unsigned threads) {
    return Training(lists, grades, buckets, schedule, true, threads).run();
}

}  // namespace dsir::classifier
