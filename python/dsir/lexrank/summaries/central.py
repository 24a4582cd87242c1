"""method="lexrank": the most central sentences, as in Erkan & Radev 2004.

With `preceding`, edges have a direction as in Zheng & Lapata 2019 (PacSum, arXiv 1906.03508).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir.errors import SettingError
from dsir.lexrank.rank import rank_units
from dsir.lexrank.similarity import join_units
from dsir.lexrank.summaries.budget import SummaryBudget
from dsir.lexrank.summaries.by_score import best_by_score
from dsir.lexrank.summaries.candidates import Candidates
from dsir.lexrank.summaries.method import Choice, Method, MethodSettings


def _choose(candidates: Candidates, budget: SummaryBudget, settings: MethodSettings) -> Choice:
    if settings.preceding is not None:
        scores = directed_scores(candidates, settings.preceding, settings.lexrank.threshold)
        return Choice(best_by_score(candidates, scores, budget), scores)
    teleport = settings.teleport
    if candidates.to_query is not None:
        if teleport is not None:
            raise SettingError("give query=... or teleport=..., not both")
        teleport = candidates.to_query
    found = rank_units(
        candidates.units, settings.lexrank, teleport=teleport, threads=candidates.threads
    )
    rows = best_by_score(candidates, found.scores, budget)
    return Choice(rows, found.scores, has_edges=found.has_edges)


def directed_scores(
    candidates: Candidates, preceding: float, threshold: float | None
) -> npt.NDArray[np.float64]:
    """Return the sum of each sentence's edges, weighted by their direction.

    In a document an edge to an earlier sentence counts `preceding` times its cosine, an edge to a
    later one 1 - `preceding` times. An edge to another document counts half, because no direction
    is known. The sums are moved so that the least is just above 0. Source: Zheng & Lapata 2019,
    section 3.1.

    Args:
        candidates: the sentences.
        preceding: below 0 to prefer sentences that later ones take up.
        threshold: only cosines above this are edges; None for all above 0.

    Returns:
        float64[sentences], 0 for sentences without a term.
    """
    if threshold is None:
        sums = candidates.directed(preceding)
    else:
        sums = _above(candidates, preceding, threshold)
    occupied = candidates.units.occupied != 0
    if occupied.any():
        # Edges of negative weight make negative sums, but a score of 0 means "never".
        sums += 1e-9 - sums[occupied].min()
    return np.where(occupied, sums, 0.0)


def _above(candidates: Candidates, preceding: float, threshold: float) -> npt.NDArray[np.float64]:
    """Return the sums of `Candidates.directed`, of cosines above a threshold."""
    graph = join_units(
        candidates.units,
        threshold,
        None,
        include_self=False,
        strict=threshold != 1,
        weights=True,
        threads=candidates.threads,
    )
    assert graph.weights is not None
    rows = np.repeat(np.arange(len(graph)), np.diff(graph.offsets))
    others = graph.neighbours
    documents = candidates.documents
    weights = np.where(others < rows, preceding, 1 - preceding)
    weights[documents[rows] != documents[others]] = 0.5
    return np.bincount(rows, weights * graph.weights, minlength=len(graph)).astype(np.float64)


METHOD = Method(
    _choose,
    frozenset({"threshold", "damping", "teleport", "redundancy", "query", "preceding"}),
    "the most central sentences (Erkan & Radev 2004)",
)
