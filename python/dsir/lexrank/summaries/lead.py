"""method="lead": the first sentences, which news puts its news into."""

from __future__ import annotations

import numpy as np

from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.by_score import best_by_score
from dsir.lexrank.summaries.candidates import Candidates
from dsir.lexrank.summaries.method import Choice, Method, MethodSettings


def _choose(candidates: Candidates, budget: SummaryBudget, _: MethodSettings) -> Choice:
    """Take the first sentence of every document, then the second of every document, ..."""
    scores = np.where(candidates.units.occupied != 0, 1.0 / (1 + candidates.positions), 0.0)
    return Choice(best_by_score(candidates, scores, budget), scores)


METHOD = Method(
    _choose,
    frozenset({"redundancy"}),
    "the first sentence of every document, then the second, ...",
)
