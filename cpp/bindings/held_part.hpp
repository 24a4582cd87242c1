#pragma once

#include <memory>

#include "bindings/python.hpp"
#include "ngram/score_together.hpp"
#include "ngram/weighing.hpp"

namespace dsir::bindings {

/// One of several that score texts together, and what it refers to.
struct HeldPart {
    py::object table;
    std::shared_ptr<const ngram::Weighing> weighing;
    std::shared_ptr<const void> more;
    ngram::ScorePart part;
};

}  // namespace dsir::bindings
