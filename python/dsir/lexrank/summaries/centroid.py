"""method="centroid": the sentences nearest to the centre of all, as in Radev et al. 2004 (MEAD)."""

from __future__ import annotations

from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.by_score import best_by_score
from dsir.lexrank.summaries.candidates import Candidates
from dsir.lexrank.summaries.method import Choice, Method, MethodSettings


def _choose(candidates: Candidates, budget: SummaryBudget, _: MethodSettings) -> Choice:
    scores = candidates.to_centre()
    if candidates.to_query is not None:
        scores = candidates.to_query
    return Choice(best_by_score(candidates, scores, budget), scores)


METHOD = Method(
    _choose,
    frozenset({"redundancy", "query"}),
    "the sentences nearest to the centre of all, or to the query (Radev et al. 2004)",
)
