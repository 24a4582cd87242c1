"""Chooses the rows of each class that represent the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dsir import _core
from dsir.gais.neighbours import Edges
from dsir.gais.parts import Parts, split_rows

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]
# The exchange looks at this many rows together at most: its cost grows with their square.
PART_ROWS = 8192
_CLUSTER_STEPS = 30
# Votes for so many classes are counted in a table.
_FEW_CLASSES = 16
# The near rows of a candidate are at most so many on average: 8 bytes each.
_MOST_NEAR = 1024


def highest(keys: npt.NDArray[np.float64], labels: Labels, shares: npt.NDArray[np.int64]) -> Rows:
    """Return each class's rows with the highest keys, ascending; the earlier among equal keys."""
    order = np.lexsort((np.arange(len(keys)), -keys, labels))
    starts = np.concatenate(([0], np.cumsum(np.bincount(labels, minlength=len(shares)))))[:-1]
    kept = [
        order[start : start + share]
        for start, share in zip(starts.tolist(), shares.tolist(), strict=True)
    ]
    return np.sort(np.concatenate(kept)).astype(np.int64)


def trusted_rows(
    labels: Labels,
    guesses: npt.NDArray[np.int64],
    shares: npt.NDArray[np.int64],
    *,
    least: float = 0.5,
) -> npt.NDArray[np.bool_]:
    """Return which rows are trusted: those whose guess equals their label.

    If less than a share `least` of a class is guessed right, the guesses are in doubt, and all rows
    of the class are trusted. The same holds if more rows are kept of a class than are guessed
    right.

    Args:
        labels: [rows].
        guesses: [rows]; -1 equals no label.
        shares: how many rows of each class to keep.
        least: 0 to 1, see above.
    """
    trusted = np.asarray(guesses == labels)
    counts = np.bincount(labels, minlength=len(shares))
    right = np.bincount(labels[trusted], minlength=len(shares))
    doubtful = (right < least * counts) | (right < shares)
    return np.asarray(trusted | doubtful[labels])


def neighbours_vote(graph: Edges, labels: Labels, classes: int) -> npt.NDArray[np.int64]:
    """Return for each row the label that most of its neighbours have; -1 without neighbours.

    Among labels with equal votes the smaller one wins.

    Args:
        graph: the directed graph, without edges from a row to itself.
        labels: [rows].
        classes: how many classes there are.
    """
    degrees = np.diff(graph.offsets)
    rows = np.repeat(np.arange(len(graph), dtype=np.int64), degrees)
    if classes <= _FEW_CLASSES:
        pairs = rows * classes + labels[graph.neighbours]
        table = np.bincount(pairs, minlength=len(graph) * classes).reshape(len(graph), classes)
        return np.where(degrees > 0, table.argmax(axis=1), -1).astype(np.int64)
    # Only pairs of row and label that occur have an entry: a table of all pairs could be large.
    pairs, votes = np.unique(rows * classes + labels[graph.neighbours], return_counts=True)
    order = np.lexsort((pairs % classes, -votes, pairs // classes))
    voters, first = np.unique(pairs[order] // classes, return_index=True)
    guesses = np.full(len(graph), -1, np.int64)
    guesses[voters] = pairs[order][first] % classes
    return guesses


@dataclass(frozen=True, slots=True)
class Coverage:
    """How to search for rows that cover the others.

    Attributes:
        passes: exchanges to try for each row kept.
        sharpness: how abruptly a row goes from right to wrong in the loss.
        local: share of the exchanges within a cluster.
        seed: seed of the first centres and the exchanges.
        threads: how many threads to use; the result does not depend on them.
    """

    passes: float = 40.0
    sharpness: float = 20.0
    local: float = 0.7
    seed: int = 0
    threads: int = 1

    def sharper(self, sharpness: float) -> Coverage:
        """Return these settings with another sharpness."""
        return replace(self, sharpness=sharpness)


@dataclass(frozen=True, slots=True)
class Clusters:
    """The rows nearest to the centres of clusters.

    Attributes:
        chosen: int64, the rows, part by part.
        parts: how all rows are cut into parts.
        ends: int64[parts + 1], where the chosen rows of each part begin, and the last end.
    """

    chosen: Rows
    parts: Parts
    ends: npt.NDArray[np.int64]


def cluster_rows(
    rows: Floats,
    labels: Labels,
    shares: npt.NDArray[np.int64],
    trusted: npt.NDArray[np.bool_],
    coverage: Coverage,
) -> Clusters:
    """Cluster each class, and return the row nearest to each centre; see `covering_rows`."""
    parts = split_rows(rows, labels, PART_ROWS, coverage.seed, threads=coverage.threads)
    members, ends, wanted = [], [0], []
    by_part = _part_shares(labels, shares, trusted, parts)
    for number in range(len(parts)):
        part = parts[number]
        kept = part[trusted[part]]
        for label in range(len(shares)):
            own = kept[labels[kept] == label]
            members.append(own)
            ends.append(ends[-1] + len(own))
            wanted.append(int(by_part[number, label]))
    chosen = _core.cluster_prototypes(
        rows,
        np.concatenate(members).astype(np.int32),
        np.array(ends, np.int64),
        np.array(wanted, np.int64),
        iterations=_CLUSTER_STEPS,
        seed=coverage.seed,
        threads=coverage.threads,
    )
    part_ends = np.concatenate(([0], np.cumsum(by_part.sum(axis=1)))).astype(np.int64)
    return Clusters(chosen.astype(np.int64), parts, part_ends)


def covering_rows(
    rows: Floats,
    labels: Labels,
    shares: npt.NDArray[np.int64],
    trusted: npt.NDArray[np.bool_],
    coverage: Coverage,
    clusters: Clusters | None = None,
    near: _core.NearRows | None = None,
) -> Rows:
    """Return rows that are nearer to the rest of their class than the rows kept of other classes.

    The search starts from the middles of clusters of the trusted rows and exchanges them;
    cpp/gais/prototypes.hpp defines the loss that exchanges lower.

    Args:
        rows: [rows, features], scaled.
        labels: [rows].
        shares: how many rows of each class to keep.
        trusted: which rows may be kept; in every class at least as many as its share.
        coverage: the settings.
        clusters: the clusters of the same rows, if known; None to compute them.
        near: the near rows of the same rows, labels and parts, if known, which change nothing but
            the time.

    Returns:
        int64, the rows to keep, ascending.
    """
    clusters = clusters or cluster_rows(rows, labels, shares, trusted, coverage)
    chosen32, _ = _core.exchange_prototypes(
        rows,
        labels,
        trusted.astype(np.uint8),
        clusters.parts.members,
        clusters.parts.offsets,
        clusters.chosen.astype(np.int32),
        clusters.ends,
        passes=coverage.passes,
        sharpness=coverage.sharpness,
        local=coverage.local,
        seed=coverage.seed,
        threads=coverage.threads,
        near=near,
    )
    return np.sort(chosen32).astype(np.int64)


def near_rows(
    rows: Floats, labels: Labels, starts: list[Clusters], coverage: Coverage
) -> _core.NearRows:
    """Return what several searches over the same rows share; see cpp/gais/near_rows.hpp.

    Args:
        rows: [rows, features], scaled.
        labels: [rows].
        starts: the clusters that the searches start from, at least one.
        coverage: the settings.
    """
    parts = starts[0].parts
    return _core.NearRows(
        rows,
        labels,
        parts.members,
        parts.offsets,
        [(one.chosen.astype(np.int32), one.ends) for one in starts],
        most=_MOST_NEAR * len(labels),
        threads=coverage.threads,
    )


def _part_shares(
    labels: Labels,
    shares: npt.NDArray[np.int64],
    trusted: npt.NDArray[np.bool_],
    parts: Parts,
) -> npt.NDArray[np.int64]:
    """Return how many rows of each class each part keeps: int64[parts, classes].

    A class's rows are shared among parts in proportion to its trusted rows there.
    """
    by_part = np.zeros((len(parts), len(shares)), np.int64)
    counts = np.zeros_like(by_part)
    for number in range(len(parts)):
        part = parts[number]
        counts[number] = np.bincount(labels[part][trusted[part]], minlength=len(shares))
    for label, share in enumerate(shares.tolist()):
        own = counts[:, label]
        exact = own * (share / max(1, own.sum()))
        by_part[:, label] = np.floor(exact)
        left = share - int(by_part[:, label].sum())
        order = np.argsort(by_part[:, label] - exact, kind="stable")
        for at in order[:left]:
            by_part[at, label] += 1
    return by_part


def attention_coverage(
    offsets: npt.NDArray[np.int64],
    neighbours: npt.NDArray[np.int32],
    attention: Floats,
    labels: Labels,
    shares: npt.NDArray[np.int64],
    trusted: npt.NDArray[np.bool_],
) -> Rows:
    """Return the rows that the rest of their class attend to: facility location on attention.

    Maximizes the sum, over all rows, of a row's largest attention to a kept row of its class. The
    algorithm is lazy greedy: see cpp/gais/facility_location.hpp.

    Args:
        offsets: int64[rows + 1].
        neighbours: int32[edges], the rows that each row attends to.
        attention: float32[edges].
        labels: [rows].
        shares: how many rows of each class to keep.
        trusted: which rows may be kept.

    Returns:
        int64, the rows to keep, ascending.
    """
    size = len(labels)
    rows = np.repeat(np.arange(size, dtype=np.int32), np.diff(offsets))
    within = labels[rows] == labels[neighbours]
    rows, served_by, values = rows[within], neighbours[within], attention[within]
    order = np.argsort(served_by, kind="stable")
    ends = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(served_by, minlength=size), out=ends[1:])
    group = np.where(trusted, labels, -1).astype(np.int32)
    chosen, _ = _core.facility_location(
        ends,
        np.ascontiguousarray(rows[order]),
        np.ascontiguousarray(values[order]),
        group,
        shares.tolist(),
        rows=size,
    )
    return np.sort(chosen).astype(np.int64)
