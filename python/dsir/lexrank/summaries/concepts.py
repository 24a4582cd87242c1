"""method="concepts": the sentences that cover the bigrams of the texts, Gillick & Favre 2009.

"A Scalable Global Model for Summarization" (ILP for NLP, 2009): a summary is worth the weights of
the different concepts in it, however often it has each. So repetition is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.candidates import Candidates
from dsir.lexrank.summaries.coverage_search import best_cover
from dsir.lexrank.summaries.lazy_greedy import lazy_greedy
from dsir.lexrank.summaries.method import Choice, Method, MethodSettings

# The search for the best summary looks at so many sets of sentences, which takes a few tenths of a
# second. Texts with more entries (sentences times concepts) are not searched.
_MOST_NODES = 2_000
_LARGEST_SEARCH = 400_000


@dataclass(frozen=True, slots=True)
class Concepts:
    """The concepts of sentences, and what they are worth.

    Attributes:
        offsets: int64[sentences + 1].
        numbers: int64[entries]: the concepts of each sentence, each once.
        weights: float64[concepts].
    """

    offsets: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    weights: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of(self, row: int) -> npt.NDArray[np.int64]:
        """Return the concepts of a sentence."""
        return self.numbers[self.offsets[row] : self.offsets[row + 1]]

    def worth(self) -> npt.NDArray[np.float64]:
        """float64[sentences]: what each sentence is worth alone."""
        rows = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        return np.bincount(rows, self.weights[self.numbers], minlength=len(self)).astype(np.float64)

    def covers(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """bool[rows, concepts]: which concepts each of these sentences has."""
        found = np.zeros((len(rows), len(self.weights)), dtype=np.bool_)
        for at, row in enumerate(rows.tolist()):
            found[at, self.of(row)] = True
        return found


def concepts_of(candidates: Candidates, *, least: int = 2) -> Concepts:
    """Return the bigrams of terms that several sentences have, weighted by how many have them.

    A sentence of a single term has that term in place of bigrams. If no concept is in `least`
    sentences, all are concepts.

    Args:
        candidates: the sentences.
        least: how many sentences must have a concept.
    """
    offsets, numbers, counts = _core.shared_pairs(*candidates.sequences(), least=least)
    return Concepts(offsets, numbers, counts.astype(np.float64))


class Covered:
    """Which concepts a set of sentences has."""

    def __init__(self, concepts: Concepts) -> None:
        self._concepts = concepts
        self._uncovered = concepts.weights.copy()

    def gain(self, row: int) -> float:
        """Return the weight of the concepts that a sentence adds."""
        return float(self._uncovered[self._concepts.of(row)].sum())

    def take(self, row: int) -> None:
        """Add a sentence to the set."""
        self._uncovered[self._concepts.of(row)] = 0.0

    @property
    def value(self) -> float:
        """The weight of the concepts that the set has."""
        return float((self._concepts.weights - self._uncovered).sum())

    def bound(self, lengths: npt.NDArray[np.int64], limit: int) -> float:
        """Return what no summary can be worth more than: the set's value and the best gains.

        Sentences longer than the limit count for nothing. The value of the set and all gains on top
        of it bound every set, because gains only shrink (Nemhauser et al. 1978).
        """
        gains = np.array([self.gain(row) for row in range(len(self._concepts))])
        fitting = np.flatnonzero((lengths <= limit) & (gains > 0))
        order = fitting[np.argsort(-gains[fitting] / lengths[fitting], kind="stable")]
        before = np.cumsum(lengths[order]) - lengths[order]
        shares = np.clip((limit - before) / lengths[order], 0.0, 1.0)
        most = float(self._concepts.weights.sum())
        return min(most, self.value + float((gains[order] * shares).sum()))


def _choose(candidates: Candidates, budget: SummaryBudget, _: MethodSettings) -> Choice:
    """Choose greedily by weight for length, and search for something better if texts are short.

    What is left of the budget goes to sentences with bigrams that no other sentence has.
    """
    concepts = concepts_of(candidates)
    lengths = candidates.lengths(budget)
    allowed = candidates.all_allowed(budget)
    taken, value, bound = best_summary(concepts, allowed, lengths, budget.limit)
    left = budget.limit - int(lengths[taken].sum())
    if left > 0 and (allowed & (lengths <= left)).any():
        rest = Covered(every := concepts_of(candidates, least=1))
        for row in taken:
            rest.take(row)
        gains = np.array([rest.gain(row) for row in range(len(every))])
        taken += lazy_greedy(
            np.where(allowed, gains, 0.0), rest.gain, rest.take, lengths, left, 1.0
        )
    return Choice(np.array(taken, dtype=np.int64), concepts.worth(), value, bound)


def best_summary(
    concepts: Concepts,
    allowed: npt.NDArray[np.bool_],
    lengths: npt.NDArray[np.int64],
    limit: int,
) -> tuple[list[int], float, float]:
    """Return sentences, the weight of their concepts, and a bound that no summary can pass.

    Args:
        concepts: the concepts.
        allowed: bool[sentences]: which sentences may be chosen.
        lengths: int64[sentences].
        limit: what the lengths may add up to.
    """
    covered = Covered(concepts)
    alone = np.where(allowed & (lengths <= limit), concepts.worth(), 0.0)
    taken = lazy_greedy(alone, covered.gain, covered.take, lengths, limit, 1.0)
    value = covered.value
    if len(alone) and alone.max() > value:
        taken, value = [int(np.argmax(alone))], float(alone.max())
    rows = np.flatnonzero(alone > 0)
    if len(rows) * len(concepts.weights) > _LARGEST_SEARCH:
        return taken, value, covered.bound(np.where(allowed, lengths, limit + 1), limit)
    place = {row: at for at, row in enumerate(rows.tolist())}
    found = best_cover(
        concepts.covers(rows),
        concepts.weights,
        lengths[rows],
        limit,
        start=[place[row] for row in taken],
        most_nodes=_MOST_NODES,
    )
    return rows[found.rows].tolist(), found.value, found.bound


METHOD = Method(
    _choose,
    frozenset(),
    "sentences that together have the most shared bigrams (Gillick & Favre 2009)",
)
