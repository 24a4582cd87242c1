"""method="mmr": maximal marginal relevance, as in Carbonell & Goldstein 1998."""

from __future__ import annotations

import numpy as np

from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.candidates import Candidates
from dsir.lexrank.summaries.method import Choice, Method, MethodSettings

# Chosen on the set `choose` of benchmarks/quality/summary_sets.py: docs/lab/lexrank.md.
DIVERSITY = 0.3


def _choose(candidates: Candidates, budget: SummaryBudget, settings: MethodSettings) -> Choice:
    """Choose again and again the sentence that is relevant and unlike the chosen ones.

    The next sentence is the one with the largest (1 - diversity) * relevance - diversity * (the
    highest cosine with a chosen sentence). Relevance is the cosine with the query, or without one
    with the centre of all sentences. Among equals the earlier sentence comes first. A sentence that
    does not fit into what is left of the budget is passed over.
    """
    diversity = DIVERSITY if settings.diversity is None else settings.diversity
    relevance = candidates.to_centre() if candidates.to_query is None else candidates.to_query
    open_ = candidates.all_allowed(budget) & (relevance > 0)
    lengths = candidates.lengths(budget)
    closest = np.zeros(len(relevance))
    left = budget.limit
    chosen: list[int] = []
    while True:
        open_ &= lengths <= left
        rows = np.flatnonzero(open_)
        if not len(rows):
            break
        worth = (1 - diversity) * relevance[rows] - diversity * closest[rows]
        row = int(rows[np.argmax(worth)])
        chosen.append(row)
        open_[row] = False
        left -= int(lengths[row])
        np.maximum(closest, candidates.cosines_with(row), out=closest)
    return Choice(np.array(chosen, dtype=np.int64), relevance)


METHOD = Method(
    _choose,
    frozenset({"diversity", "query"}),
    "relevant sentences that do not repeat the chosen ones (Carbonell & Goldstein 1998)",
)
