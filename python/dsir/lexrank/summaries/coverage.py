"""method="coverage": sentences that later ones take up and that add bigrams. Ours; the default.

It takes the greedy cover of `concepts` and adds, per word, how similar a sentence is to those after
it in its document and to all other documents (`Candidates.directed`):

    worth(S) = 0.25 * (weight of the bigrams in S) / (weight of all)
             + 0.75 * sum over S of (length * relevance) / the same sum over all sentences

Both parts are monotone and submodular. A sentence whose cosine with a chosen one is above the limit
of redundancy is worth nothing. Measurements: docs/lab/lexrank.md.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir.lexrank.summaries.budget import DEFAULT_REDUNDANCY, SummaryBudget
from dsir.lexrank.summaries.candidates import Candidates
from dsir.lexrank.summaries.concepts import Covered, concepts_of
from dsir.lexrank.summaries.lazy_greedy import lazy_greedy
from dsir.lexrank.summaries.method import Choice, Method, MethodSettings

# Chosen on the sets `choose` of benchmarks/quality/summary_sets.py: docs/lab/lexrank.md.
DIVERSITY = 0.25
PRECEDING = -0.25
_LEAST = 1e-6


def _choose(candidates: Candidates, budget: SummaryBudget, settings: MethodSettings) -> Choice:
    """Choose greedily by worth for length; scores are what each sentence is worth for its length.

    With a budget of sentences the length is that in characters, so that long sentences have no
    advantage.
    """
    new = DIVERSITY if settings.diversity is None else settings.diversity
    redundancy = DEFAULT_REDUNDANCY if budget.redundancy is None else budget.redundancy
    relevance = _relevance(candidates, settings.preceding)
    lengths = candidates.lengths(budget)
    sizes = candidates.sizes(budget)
    concepts = concepts_of(candidates)
    covered = Covered(concepts)
    all_concepts = max(float(concepts.weights.sum()), 1e-300)
    all_relevance = max(float((sizes * relevance).sum()), 1e-300)
    closest = np.zeros(len(candidates))

    def gain(row: int) -> float:
        if closest[row] > redundancy:
            return 0.0
        more = covered.gain(row) / all_concepts / float(sizes[row])
        return new * more + (1 - new) * float(relevance[row]) / all_relevance

    def take(row: int) -> None:
        covered.take(row)
        if redundancy < 1:
            np.maximum(closest, candidates.cosines_with(row), out=closest)

    alone = concepts.worth() / all_concepts / sizes
    scores = new * alone + (1 - new) * relevance / all_relevance
    scores[candidates.units.occupied == 0] = 0.0
    allowed = candidates.all_allowed(budget)
    # Gains are per word already.
    taken = lazy_greedy(np.where(allowed, scores, 0.0), gain, take, lengths, budget.limit, 0.0)
    return Choice(np.array(taken, dtype=np.int64), scores)


def _relevance(candidates: Candidates, preceding: float | None) -> npt.NDArray[np.float64]:
    """Return the relevance of each sentence, above 0 if it has a term."""
    if candidates.to_query is not None:
        return candidates.to_query
    sums = np.maximum(candidates.directed(PRECEDING if preceding is None else preceding), 0.0)
    # The last sentence has none after it, but is a sentence all the same.
    return np.where(candidates.units.occupied != 0, sums + _LEAST, 0.0)


METHOD = Method(
    _choose,
    frozenset({"diversity", "redundancy", "query", "preceding"}),
    "sentences that later ones take up and that add bigrams; best on the sets that we measure",
)
