"""Finds which rows are near each other by the distance asked for, and gives them coordinates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dsir.errors import SettingError
from dsir.gais.labelled_table import Distance, LabelledTable, one_scale
from dsir.gais.labels import class_codes
from dsir.gais.landmarks import landmark_rows
from dsir.gais.manhattan import manhattan_distances, manhattan_neighbours
from dsir.gais.neighbours import Edges, GraphMethod, batch_neighbours, neighbours
from dsir.gais.own_distances import own_distances
from dsir.gais.parts import Parts, split_rows


@dataclass(frozen=True, slots=True)
class Nearness:
    """How to find near rows.

    Attributes:
        k: most neighbours of a row.
        method: which rows are compared.
        threshold: least cosine of lifted rows.
        batch_size: most rows of a mini-batch.
        seed: seed of batches, projections and landmarks.
        threads: how many threads to use; the result does not depend on them.
    """

    k: int
    method: GraphMethod
    threshold: float
    batch_size: int
    seed: int
    threads: int


@dataclass(frozen=True, slots=True)
class RowGraph:
    """A graph of near rows.

    Attributes:
        table: the rows in coordinates whose distances are those asked for.
        edges: from each row to its nearest others.
        batches: the mini-batches of the table's rows that were compared, if there are any.
    """

    table: LabelledTable
    edges: Edges
    batches: Parts | None = None


def graph_of(table: LabelledTable, distance: Distance, how: Nearness) -> RowGraph:
    """Return the graph of near rows.

    Args:
        table: rows that `labelled_table` scaled for the distance.
        distance: any but "precomputed". For "euclidean" and "cosine" the coordinates are the rows.
        how: how to find near rows.
    """
    if distance == "manhattan":
        rows = table.rows
        parts = Parts.whole(len(rows))
        if how.method == "minibatch":
            parts = _batches(table, how)
        edges = manhattan_neighbours(rows, parts, how.k)

        # The roots of these distances are distances in a Euclidean space; their order is the same.
        def away(row: int) -> npt.NDArray[np.float32]:
            return np.asarray(np.sqrt(manhattan_distances(rows[row : row + 1], rows)[0]))

        found = landmark_rows(away, len(rows), seed=how.seed, threads=how.threads)
        return RowGraph(replace(table, rows=one_scale(found.astype(np.float64))), edges)
    if how.method == "minibatch" and len(table.rows):
        batches = _batches(table, how)
        edges = batch_neighbours(
            table.rows, batches, k=how.k, threshold=how.threshold, threads=how.threads
        )
        return RowGraph(table, edges, batches)
    edges = neighbours(
        table.rows,
        k=how.k,
        threshold=how.threshold,
        method=how.method,
        batch_size=how.batch_size,
        labels=table.labels,
        random_state=how.seed,
        threads=how.threads,
    )
    return RowGraph(table, edges)


def _batches(table: LabelledTable, how: Nearness) -> Parts:
    return split_rows(table.rows, table.labels, how.batch_size, how.seed, threads=how.threads)


def graph_of_distances(
    X: Any,  # noqa: N803
    y: Any,
    bins: int | None,
    how: Nearness,
) -> RowGraph:
    """Return coordinates by given distances, and the graph of each row's nearest others.

    Args:
        X: what `own_distances` takes.
        y: the labels.
        bins: cut a regression target into this many classes.
        how: how to find near rows; all distances given are compared.

    Raises:
        SettingError: X or y cannot be used, or they differ in length.
    """
    labels, classes = class_codes(y, bins)
    distances = own_distances(X)
    if len(distances) != len(labels):
        raise SettingError(
            f"X has the distances of {len(distances):,} rows, y has {len(labels):,}; expected one "
            "label for each row"
        )
    rows = landmark_rows(distances.away, len(distances), seed=how.seed, threads=how.threads)
    table = LabelledTable(one_scale(rows.astype(np.float64)), labels, classes)
    return RowGraph(table, distances.nearest(how.k))


def row_count(X: Any) -> int:  # noqa: N803
    """Return how many rows a table, an array, a sparse matrix or a list has."""
    return int(X.shape[0]) if hasattr(X, "shape") else len(X)
