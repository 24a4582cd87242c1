"""method="submodular": coverage and diversity together, as in Lin & Bilmes 2011.

"A Class of Submodular Functions for Document Summarization" (ACL 2011), sections 4 and 5.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir.lexrank.similarity import SimilarityGraph, join_units
from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.by_score import best_by_score
from dsir.lexrank.summaries.candidates import Candidates
from dsir.lexrank.summaries.lazy_greedy import lazy_greedy
from dsir.lexrank.summaries.method import Choice, Method, MethodSettings

# Chosen on the set `choose` of benchmarks/quality/summary_sets.py: docs/lab/lexrank.md.
DIVERSITY = 0.5
# A sentence counts as covered once the summary has this share of its similarity to all sentences.
_SATURATION = 0.1
# Clusters per sentence, and the power of the length that gains are divided by: the paper's.
_CLUSTERS = 0.2
_LENGTH_POWER = 0.3


class Worth:
    """What sets of sentences are worth: (1 - d) * coverage + d * diversity, both 0 to 1.

    Coverage is the sum over all sentences i of min(similarity of i to the set, a tenth of the
    similarity of i to all). Diversity is the sum over clusters of the square root of the relevance
    of the set's sentences in the cluster, where the relevance of a sentence is its mean similarity
    to all, or to the query. Each is divided by its value for all sentences. Both are monotone and
    submodular.

    Args:
        graph: the similarities, each sentence to itself included.
        relevance: float64[sentences], 0 or more.
        clusters: int64[sentences], the cluster of each sentence.
        diversity: d, 0 to 1.
    """

    def __init__(
        self,
        graph: SimilarityGraph,
        relevance: npt.NDArray[np.float64],
        clusters: npt.NDArray[np.int64],
        diversity: float,
    ) -> None:
        assert graph.weights is not None
        self._graph = graph
        self._relevance = relevance
        self._clusters = clusters
        rows = np.repeat(np.arange(len(graph)), np.diff(graph.offsets))
        self._most = _SATURATION * np.bincount(rows, graph.weights, minlength=len(graph))
        count = int(clusters.max()) + 1 if len(clusters) else 0
        full = float(np.sqrt(np.bincount(clusters, relevance, minlength=count)).sum())
        self._coverage_share = (1 - diversity) / max(float(self._most.sum()), 1e-300)
        self._diversity_share = diversity / max(full, 1e-300)
        self._covered = np.zeros(len(graph))
        self._in_cluster = np.zeros(count)
        self.value = 0.0

    def gain(self, row: int) -> float:
        """Return what a sentence adds to the worth of the set."""
        near, weights = self._graph.of(row)
        before = self._covered[near]
        after = np.minimum(before + weights, self._most[near])
        inside = self._in_cluster[self._clusters[row]]
        more = np.sqrt(inside + self._relevance[row]) - np.sqrt(inside)
        return float(
            self._coverage_share * (after - before).sum() + self._diversity_share * float(more)
        )

    def take(self, row: int) -> None:
        """Add a sentence to the set."""
        self.value += self.gain(row)
        near, weights = self._graph.of(row)
        self._covered[near] = np.minimum(self._covered[near] + weights, self._most[near])
        self._in_cluster[self._clusters[row]] += self._relevance[row]


def worth_of(candidates: Candidates, diversity: float) -> Worth:
    """Return the worth of no sentence yet; `take` adds sentences."""
    graph = join_units(
        candidates.units,
        None,
        None,
        include_self=True,
        strict=False,
        weights=True,
        threads=candidates.threads,
    )
    assert graph.weights is not None
    rows = np.repeat(np.arange(len(graph)), np.diff(graph.offsets))
    relevance = np.bincount(rows, graph.weights, minlength=len(graph)) / max(1, len(graph))
    if candidates.to_query is not None:
        relevance = candidates.to_query
    return Worth(graph, relevance, _clusters(graph), diversity)


def _clusters(graph: SimilarityGraph) -> npt.NDArray[np.int64]:
    """Return a cluster for each sentence: that of the most similar of sentences far apart.

    The first centre is sentence 0; each next one is the sentence that is least similar to the
    centres so far (Gonzalez 1985). Among equals the smaller number comes first.
    """
    size = len(graph)
    nearest = np.full(size, -1.0)
    cluster = np.zeros(size, dtype=np.int64)
    for number in range(max(1, round(_CLUSTERS * size)) if size else 0):
        centre = int(np.argmin(nearest))
        near, weights = graph.of(centre)
        # Sentences that share no term with a centre have cosine 0 with it.
        similarity = np.zeros(size)
        similarity[near] = weights
        similarity[centre] = 1.0
        closer = similarity > nearest
        nearest[closer] = similarity[closer]
        cluster[closer] = number
    return cluster


def _choose(candidates: Candidates, budget: SummaryBudget, settings: MethodSettings) -> Choice:
    """Choose by lazy greedy; a single sentence that is worth more than the result wins."""
    worth = worth_of(candidates, DIVERSITY if settings.diversity is None else settings.diversity)
    lengths = candidates.lengths(budget)
    gains = np.array([worth.gain(row) for row in range(len(candidates))])
    scores = np.where(candidates.units.occupied != 0, gains, 0.0)
    if not scores.any():
        # All terms are in all sentences, so that no sentence is like another.
        scores = (candidates.units.occupied != 0).astype(np.float64)
        return Choice(best_by_score(candidates, scores, budget), scores, 0.0)
    first = np.where(candidates.all_allowed(budget), scores, 0.0)
    taken = lazy_greedy(first, worth.gain, worth.take, lengths, budget.limit, _LENGTH_POWER)
    value = worth.value
    if len(first) and first.max() > value:
        taken, value = [int(np.argmax(first))], float(first.max())
    return Choice(np.array(taken, dtype=np.int64), scores, value)


METHOD = Method(
    _choose,
    frozenset({"diversity", "query"}),
    "sentences that cover all others and come from many clusters (Lin & Bilmes 2011)",
)
