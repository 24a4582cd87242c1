#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "classifier/term_lists.hpp"

namespace dsir::classifier {

/// How to learn.
struct Schedule {
    unsigned passes = 1;     ///< how often to go over the documents
    std::size_t batch = 32;  ///< documents whose gradients are taken at the same weights
    float rate = 1.0F;       ///< the first step; steps shrink in proportion to what is left to do
};

/// Learns weights[buckets] that tell documents apart, by stochastic gradient descent on the
/// logistic loss. The log-odds of a document are its score, as in LinearTable, plus a constant that
/// is learned too and not returned.
///
/// The importance of a document is above 0 if the document is wanted and below 0 if not; documents
/// with an importance of 0 are left out.
///
/// Documents are taken in order, in batches of a fixed size. The gradients of a batch are computed
/// at the weights before it, each by one thread. Then each thread updates a range of buckets of its
/// own, document by document. So every number is computed from the same numbers in the same order,
/// and the result does not depend on `threads`.
std::vector<float> train(const TermListsView& lists, std::span<const float> importance,
                         std::size_t buckets, const Schedule& schedule, unsigned threads);

/// The same for documents with grades: the probability to be met, 0 to 1, in place of a side. Every
/// document counts once; those with a grade below 0 are left out. The loss is the cross-entropy.
std::vector<float> train_graded(const TermListsView& lists, std::span<const float> grades,
                                std::size_t buckets, const Schedule& schedule, unsigned threads);

}  // namespace dsir::classifier
