"""Scores of rows by the network, and the draw in proportion to them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dsir.gais.attention_training import TrainedNetwork


def row_scores(
    rank_by: str,
    offsets: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int32],
    network: TrainedNetwork,
    labels: npt.NDArray[np.int32],
) -> npt.NDArray[np.float64]:
    """Return the score of every row: float64[rows].

    Args:
        rank_by: which score, as in `GAIS`.
        offsets: int64[rows + 1] of the graph.
        ends: int32[edges].
        network: the network that was trained on the graph.
        labels: int32[rows].
    """
    size = len(labels)
    if rank_by == "confidence":
        return network.probabilities[np.arange(size), labels].astype(np.float64)
    weights = network.attention.astype(np.float64)
    if rank_by == "attention-same-class":
        rows = np.repeat(np.arange(size), np.diff(offsets))
        weights = np.where(labels[rows] == labels[ends], weights, 0)
    return np.bincount(ends, weights, minlength=size).astype(np.float64)


def drawn_keys(scores: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    """Return random keys; taking the largest draws without replacement, weighted by the scores."""
    random = np.random.Generator(np.random.Philox(seed))
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(scores) + random.gumbel(size=len(scores)))
