"""Batches to train a network on: each has some parts of the graph, and is a graph of its own."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.gais.parts import Parts
from dsir.thread_pool import ThreadPool

# Steps on fewer rows are too noisy; steps on more rows only cost more.
BATCH_ROWS = 4096


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """The rows of one training step.

    Attributes:
        rows: int64, the numbers of the rows in the whole table.
        graph: the edges between these rows, which are its nodes.
        features: float32[nodes, features].
        labels: int32[nodes].
    """

    rows: npt.NDArray[np.int64]
    graph: _core.AttentionGraph
    features: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32]


def batch_count(rows: int) -> int:
    """Return how many batches to cut rows into; up to 1.5 times BATCH_ROWS make one batch."""
    return max(1, round(rows / BATCH_ROWS))


def training_batches(
    offsets: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    features: npt.NDArray[np.float32],
    labels: npt.NDArray[np.int32],
    parts: Parts,
    seed: int,
    *,
    threads: int = 1,
) -> list[TrainingBatch]:
    """Return batches made of random parts, so that each batch sees rows from everywhere.

    Edges between batches are left out. A graph made with method "minibatch" loses no edge if the
    parts are its mini-batches.

    Args:
        offsets: int64[rows + 1].
        neighbours: int32[edges].
        features: [rows, features].
        labels: [rows].
        parts: the cut of the rows into parts of near rows, much smaller than a batch.
        seed: seed of the random order.
        threads: how many threads to use; the batches do not depend on them.
    """
    size = len(labels)
    count = batch_count(size)
    random = np.random.Generator(np.random.Philox([seed, 3]))
    dealt = random.permutation(len(parts))
    # Rows of a part stay together, so that neighbours share a cache.
    order = np.concatenate([parts[part] for part in dealt.tolist()]).astype(np.int64)
    place = np.empty(size, np.int64)
    place[order] = np.arange(size)
    sizes = np.diff(parts.offsets)[dealt]
    first = np.concatenate(([0], np.cumsum(sizes)))
    # A batch has whole parts; a part larger than a batch gets a batch of its own.
    cuts = np.unique(np.searchsorted(first, np.arange(count + 1, dtype=np.int64) * size // count))
    starts = first[cuts]

    def batch(begin: int, end: int) -> TrainingBatch:
        rows = order[begin:end]
        degrees = offsets[rows + 1] - offsets[rows]
        ends = np.concatenate(([0], np.cumsum(degrees)))
        entries = np.repeat(offsets[rows] - ends[:-1], degrees) + np.arange(ends[-1])
        others = place[neighbours[entries]]
        within = (others >= begin) & (others < end)
        kept = np.concatenate(([0], np.cumsum(within)))[ends]
        graph = _core.AttentionGraph(kept, (others[within] - begin).astype(np.int32))
        return TrainingBatch(rows, graph, features[rows], labels[rows])

    with ThreadPool(threads) as pool:
        return list(pool.map(lambda cut: batch(*cut), itertools.pairwise(starts.tolist())))
